-- JSON and CSV of the chosen documents, rendered set by set.
-- billing/invoices/documents/rendering.py runs them in this order, one chunk after the other.
-- This is the only place where the bytes of JSON and CSV are made.

-- name: text_macros
-- Macros of the session. How figures and text are written in JSON and CSV; the same as billing/invoices/figures.py,
-- held by a test. digits_text cuts nothing: settled amounts have zeros there. What fits 64 bits, nearly all of it,
-- is written twice as fast. A macro stands as often in a statement as its body names what it gets: give it columns, not
-- what another macro makes, or a text is planned a hundred times over and one document costs twice the time.
CREATE OR REPLACE TEMP MACRO short_text(amount) AS
    CASE WHEN amount < 0 THEN '-' ELSE '' END || CAST(abs(amount) // 10000000000 AS VARCHAR) || '.'
    || right('0000000000' || CAST(abs(amount) % 10000000000 AS VARCHAR), 10);
CREATE OR REPLACE TEMP MACRO decimal_text(amount) AS
    CASE
        WHEN amount BETWEEN -9000000000000000000 AND 9000000000000000000 THEN short_text(CAST(amount AS BIGINT))
        ELSE CAST(
            CAST(CAST(amount AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS VARCHAR
        )
    END;
CREATE OR REPLACE TEMP MACRO trimmed_text(decimals) AS
    left(decimals, length(decimals) - 8) || rtrim(right(decimals, 8), '0');
CREATE OR REPLACE TEMP MACRO digits_text(decimals, digits) AS
    CASE
        WHEN rtrim(right(decimals, 10 - digits), '0') = ''
            THEN left(decimals, length(decimals) - CASE digits WHEN 0 THEN 11 ELSE 10 - digits END)
        ELSE error(decimals || ' is not settled to ' || digits || ' decimals')
    END;
CREATE OR REPLACE TEMP MACRO percent_text(rate_bp) AS
    rtrim(rtrim(CAST(CAST(rate_bp AS DECIMAL(9, 2)) * 0.01::DECIMAL(3, 2) AS VARCHAR), '0'), '.');
CREATE OR REPLACE TEMP MACRO stamp_text(moment) AS strftime(moment, '%Y-%m-%dT%H:%M:%SZ');
-- Control characters are written \u001f as everywhere else in edgetoll, not \u001F: one at a time, since they are rare.
CREATE OR REPLACE TEMP MACRO json_char(part) AS
    CASE
        WHEN ascii(part) < 32 AND part NOT IN (chr(8), chr(9), chr(10), chr(12), chr(13), chr(13) || chr(10))
            THEN printf('\u%04x', ascii(part))
        ELSE substr(CAST(to_json(part) AS VARCHAR), 2, length(CAST(to_json(part) AS VARCHAR)) - 2)
    END;
CREATE OR REPLACE TEMP MACRO json_text(value) AS
    CASE
        WHEN value IS NULL THEN 'null'
        WHEN regexp_full_match(value, '[ !#-\[\]-~]*') THEN concat('"', value, '"')
        WHEN regexp_matches(value, '[\x00-\x1f]')
            THEN '"' || array_to_string(list_transform(string_split(value, ''), lambda part: json_char(part)), '') || '"'
        ELSE CAST(to_json(value) AS VARCHAR)
    END;
CREATE OR REPLACE TEMP MACRO safe_text(value) AS
    CASE
        WHEN left(value, 1) IN ('=', '+', '-', '@', chr(9), chr(13), chr(10)) THEN '''' || value
        ELSE value
    END;
CREATE OR REPLACE TEMP MACRO quoted_text(value) AS
    CASE
        WHEN contains(value, '"') OR contains(value, ',') OR contains(value, chr(13)) OR contains(value, chr(10))
            THEN '"' || replace(value, '"', '""') || '"'
        ELSE value
    END;
CREATE OR REPLACE TEMP MACRO plain_text(value) AS replace(coalesce(value, ''), chr(0), '');
CREATE OR REPLACE TEMP MACRO address_lines(address, country) AS
    list_filter(
        list_transform(
            string_split(replace(address, chr(10), ','), ','),
            lambda part: trim(part, ' ' || chr(9) || chr(10) || chr(12) || chr(13))
        ) || [country],
        lambda part: part <> ''
    );
CREATE OR REPLACE TEMP MACRO json_lines(parts, indent) AS
    CASE
        WHEN len(parts) = 0 THEN '[]'
        ELSE '[' || chr(10) || indent || '  '
            || array_to_string(list_transform(parts, lambda part: json_text(part)), ',' || chr(10) || indent || '  ')
            || chr(10) || indent || ']'
    END;

-- name: sellers
-- One row per seller text. Which sellers (with terms) stand on the chosen documents.
SELECT DISTINCT h.seller
FROM query_table($heads) AS h
INNER JOIN invoice_chosen AS c ON h.invoice_no = c.invoice_no;

-- name: rendered_sellers
-- One row per seller text. Each seller's part of a JSON document, made once in Python.
CREATE OR REPLACE TEMP TABLE rendered_sellers AS
SELECT
    unnest($sellers::VARCHAR[]) AS seller,
    unnest($seller_json::VARCHAR[]) AS seller_json,
    unnest($notes_json::VARCHAR[]) AS notes_json;

-- name: render_lines
-- One row per document. Each chosen document's lines as JSON and as CSV, joined in order.
CREATE OR REPLACE TEMP TABLE rendered_lines AS
WITH heads AS (
    SELECT h.*
    FROM query_table($heads) AS h
    INNER JOIN invoice_chosen AS c ON h.invoice_no = c.invoice_no
    WHERE c.chunk = $chunk
),

decimals AS (
    SELECT
        * REPLACE (
            safe_text(plain_text(invoice_no)) AS invoice_no,
            safe_text(plain_text(account_id)) AS account_id,
            safe_text(plain_text(customer_name)) AS customer_name,
            decimal_text(subtotal) AS subtotal,
            decimal_text(cut) AS cut,
            decimal_text(tax) AS tax,
            decimal_text(total) AS total
        ),
        invoice_no AS number_text,
        decimal_text(subtotal - cut) AS net
    FROM heads
),

before AS (
    SELECT
        number_text AS invoice_no,
        digits,
        concat_ws(
            ',', quoted_text(invoice_no), kind, quoted_text(account_id), quoted_text(customer_name), month, currency,
            stamp_text(issued_at), coalesce(CAST(due_on AS VARCHAR), '')
        ) AS csv_before,
        concat_ws(
            ',', trimmed_text(subtotal), trimmed_text(cut), digits_text(net, digits), digits_text(tax, digits),
            digits_text(total, digits)
        ) AS csv_after
    FROM decimals
),

plain AS (
    SELECT
        l.*,
        b.csv_before,
        b.csv_after,
        b.digits,
        decimal_text(l.unit_price) AS unit_price_decimals,
        decimal_text(l.amount) AS amount_decimals,
        decimal_text(l.settled_amount) AS settled_decimals,
        decimal_text(l.leftover) AS leftover_decimals,
        decimal_text(l.tax) AS tax_decimals,
        safe_text(plain_text(l.region)) AS csv_region,
        safe_text(plain_text(l.domain)) AS csv_domain,
        safe_text(plain_text(l.unit)) AS csv_unit,
        safe_text(plain_text(l.rate_card)) AS csv_rate_card,
        safe_text(plain_text(l.tier)) AS csv_tier,
        safe_text(plain_text(l.corrects_invoice)) AS csv_corrects,
        safe_text(plain_text(l.reason)) AS csv_reason
    FROM query_table($lines) AS l
    INNER JOIN before AS b ON l.invoice_no = b.invoice_no
),

texts AS (
    SELECT
        * REPLACE (
            trimmed_text(unit_price_decimals) AS unit_price,
            trimmed_text(amount_decimals) AS amount,
            digits_text(settled_decimals, digits) AS settled_amount,
            digits_text(leftover_decimals, digits) AS leftover,
            digits_text(tax_decimals, digits) AS tax,
            stamp_text(corrects_hour) AS corrects_hour,
            stamp_text(corrects_until) AS corrects_until
        ),
        percent_text(tax_rate_bp) AS tax_rate
    FROM plain
),

-- Sorted once, for JSON and CSV: string_agg(… ORDER BY …) would sort for each.
placed AS (
    SELECT
        invoice_no,
        list_sort(list({'place': line_no, 'json': concat(
            '    {', chr(10), '      "line_no": ', line_no, ',', chr(10), '      "kind": "', kind, '",', chr(10),
            '      "item": ', json_text(item), ',', chr(10), '      "region": ', json_text(region), ',', chr(10),
            '      "domain": ', json_text(domain), ',', chr(10), '      "quantity": ', quantity, ',', chr(10),
            '      "free_quantity": ', free_quantity, ',', chr(10), '      "plan_quantity": ', plan_quantity, ',',
            chr(10), '      "billable_quantity": ', billable_quantity, ',', chr(10), '      "unit": ',
            json_text(unit), ',', chr(10), '      "unit_quantity": ', unit_quantity, ',', chr(10),
            '      "unit_price": "', unit_price, '",', chr(10), '      "amount": "', amount, '",', chr(10),
            '      "settled_amount": "', settled_amount, '",', chr(10), '      "leftover": "', leftover, '",', chr(10),
            '      "tax_rate_percent": "', tax_rate, '",', chr(10), '      "tax": "', tax, '",', chr(10),
            '      "rate_card": ', json_text(rate_card), ',', chr(10), '      "tier": ', json_text(tier), ',', chr(10),
            '      "corrects_invoice": ', json_text(corrects_invoice), ',', chr(10), '      "corrects_hour": ',
            json_text(corrects_hour), ',', chr(10), '      "corrects_until": ', json_text(corrects_until), ',',
            chr(10), '      "reason": ', json_text(reason), chr(10), '    }'
        ),
        'csv': concat_ws(
            ',', csv_before, line_no, kind, item, quoted_text(csv_region), quoted_text(csv_domain), quantity,
            free_quantity, plan_quantity, billable_quantity, quoted_text(csv_unit), unit_quantity, unit_price, amount,
            settled_amount, tax_rate, tax, quoted_text(csv_rate_card), quoted_text(csv_tier),
            quoted_text(csv_corrects), coalesce(corrects_hour, ''), quoted_text(csv_reason), csv_after,
            coalesce(corrects_until, '')
        ) || chr(13) || chr(10)})) AS lines
    FROM texts
    GROUP BY invoice_no
)

SELECT
    invoice_no,
    list_aggregate(list_transform(lines, lambda one: one.json), 'string_agg', ',' || chr(10)) AS json_lines,
    list_aggregate(list_transform(lines, lambda one: one.csv), 'string_agg', '') AS csv_lines
FROM placed;

-- name: render_taxes
-- One row per document: the net and the tax of each rate on it, as JSON, the lowest rate first.
CREATE OR REPLACE TEMP TABLE rendered_taxes AS
WITH rates AS (
    SELECT
        l.invoice_no,
        l.tax_rate_bp,
        any_value(h.digits) AS digits,
        decimal_text(CAST(sum(l.settled_amount) AS HUGEINT)) AS net,
        decimal_text(CAST(sum(l.tax) AS HUGEINT)) AS tax
    FROM query_table($lines) AS l
    INNER JOIN invoice_chosen AS c ON l.invoice_no = c.invoice_no
    INNER JOIN query_table($heads) AS h ON l.invoice_no = h.invoice_no
    WHERE c.chunk = $chunk
    GROUP BY l.invoice_no, l.tax_rate_bp
)

SELECT
    invoice_no,
    string_agg(
        concat(
            '    {', chr(10), '      "tax_rate_percent": "', percent_text(tax_rate_bp), '",', chr(10),
            '      "net": "', digits_text(net, digits), '",', chr(10), '      "tax": "', digits_text(tax, digits), '"',
            chr(10), '    }'
        ),
        ',' || chr(10) ORDER BY tax_rate_bp
    ) AS json_taxes
FROM rates
GROUP BY invoice_no;

-- name: render_detail
-- One row per document that has one. Each chosen document's appendix as JSON and as CSV, joined in order.
CREATE OR REPLACE TEMP TABLE rendered_detail AS
WITH texts AS (
    SELECT
        d.*,
        safe_text(plain_text(d.invoice_no)) AS csv_invoice_no,
        safe_text(plain_text(h.account_id)) AS csv_account_id,
        safe_text(plain_text(d.domain)) AS csv_domain,
        safe_text(plain_text(d.region)) AS csv_region
    FROM query_table($detail) AS d
    INNER JOIN invoice_chosen AS c ON d.invoice_no = c.invoice_no
    INNER JOIN query_table($heads) AS h ON d.invoice_no = h.invoice_no
    WHERE c.chunk = $chunk
),

placed AS (
    SELECT
        d.invoice_no,
        list_sort(list({'day': d.day, 'domain': d.domain, 'class': d.class, 'region': d.region, 'json': concat(
            '    {', chr(10), '      "day": "', d.day, '",', chr(10), '      "domain": ', json_text(d.domain), ',',
            chr(10), '      "class": "', d.class, '",', chr(10), '      "region": ', json_text(d.region), ',', chr(10),
            '      "requests": ', d.requests, ',', chr(10), '      "bytes_sent": ', d.bytes_sent, chr(10), '    }'
        ),
        'csv': concat_ws(
            ',', quoted_text(d.csv_invoice_no), quoted_text(d.csv_account_id), CAST(d.day AS VARCHAR),
            quoted_text(d.csv_domain), d.class, quoted_text(d.csv_region), d.requests, d.bytes_sent
        ) || chr(13) || chr(10)})) AS rows
    FROM texts AS d
    GROUP BY d.invoice_no
)

SELECT
    invoice_no,
    list_aggregate(list_transform(rows, lambda one: one.json), 'string_agg', ',' || chr(10)) AS json_detail,
    list_aggregate(list_transform(rows, lambda one: one.csv), 'string_agg', '') AS csv_detail
FROM placed;

-- name: render_documents
-- One row per document. The chosen documents as finished JSON and CSV, byte for byte what the Python renderers make.
WITH heads AS (
    SELECT
        h.*,
        decimal_text(h.subtotal) AS subtotal_decimals,
        decimal_text(h.cut) AS cut_decimals,
        decimal_text(h.subtotal - h.cut) AS net_decimals,
        decimal_text(h.tax) AS tax_decimals,
        decimal_text(h.total) AS total_decimals,
        decimal_text(h.prepaid_used) AS prepaid_decimals,
        decimal_text(greatest(0, h.total - h.prepaid_used)) AS due_decimals,
        decimal_text(h.balance_before) AS before_decimals,
        decimal_text(h.payments_since) AS payments_decimals,
        decimal_text(h.balance_before - h.payments_since + h.total) AS now_decimals
    FROM query_table($heads) AS h
    INNER JOIN invoice_chosen AS c ON h.invoice_no = c.invoice_no
    WHERE c.chunk = $chunk
)

SELECT
    h.invoice_no,
    h.account_id,
    encode(concat(
        '{', chr(10), '  "schema": "', $schema, '",', chr(10), '  "invoice_no": ', json_text(h.invoice_no), ',',
        chr(10), '  "kind": "', h.kind, '",', chr(10), '  "account_id": ', json_text(h.account_id), ',', chr(10),
        '  "month": "', h.month, '",', chr(10), '  "currency": "', h.currency, '",', chr(10), '  "issued_at": "',
        stamp_text(h.issued_at), '",', chr(10), '  "due_on": ', json_text(CAST(h.due_on AS VARCHAR)), ',', chr(10), '  "period": {', chr(10),
        '    "start": "', stamp_text(h.period_start), '",', chr(10), '    "end": "', stamp_text(h.period_end), '",',
        chr(10), '    "timezone": ', json_text(h.timezone), chr(10), '  },', chr(10), '  "corrects": ',
        json_text(h.corrects), ',', chr(10), '  "reason": ', json_text(h.reason), ',', chr(10), '  "seller": ',
        s.seller_json, ',', chr(10), '  "customer": {', chr(10), '    "name": ', json_text(h.customer_name), ',',
        chr(10), '    "address": ', json_lines(address_lines(h.customer_address, h.customer_country), '    '), ',',
        chr(10), '    "tax_id": ', json_text(h.customer_tax_id), ',', chr(10), '    "email": ',
        json_text(h.customer_email), ',', chr(10), '    "account_id": ', json_text(h.account_id),
        ',' || chr(10) || '    "details": ' || h.details, chr(10), '  },',
        chr(10), '  "lines": [', chr(10), l.json_lines, chr(10), '  ],', chr(10), '  "subtotal": "',
        trimmed_text(h.subtotal_decimals), '",', chr(10), '  "cut": "', trimmed_text(h.cut_decimals), '",', chr(10), '  "net": "',
        digits_text(h.net_decimals, h.digits), '",', chr(10), '  "tax_rate_percent": ',
        json_text(percent_text(h.tax_rate_bp)), ',', chr(10), '  "tax": "', digits_text(h.tax_decimals, h.digits), '",', chr(10),
        '  "total": "', digits_text(h.total_decimals, h.digits), '",', chr(10),
        concat(
            '  "prepaid_used": "' || digits_text(h.prepaid_decimals, h.digits) || '",' || chr(10) || '  "amount_due": "'
            || digits_text(h.due_decimals, h.digits) || '",' || chr(10)
            || '  "account": {' || chr(10) || '    "balance_before": "' || trimmed_text(h.before_decimals) || '",' || chr(10)
            || '    "payments_since": "' || trimmed_text(h.payments_decimals) || '",' || chr(10) || '    "balance_now": "'
            || trimmed_text(h.now_decimals) || '"' || chr(10) || '  },' || chr(10)
        ),
        '  "taxes": [', chr(10), x.json_taxes, chr(10),
        '  ],', chr(10), '  "rounding": ', json_text($rounding), ',',
        chr(10), '  "notes": ', CASE h.kind WHEN 'invoice' THEN s.notes_json ELSE '[]' END, ',', chr(10),
        '  "evidence": ',
        CASE
            WHEN h.usage_sha256 <> '' THEN concat(
                '{', chr(10), '    "hours": ', h.hours, ',', chr(10), '    "incomplete_hours": ', h.incomplete_hours,
                ',', chr(10), '    "certificates": ', h.certificates, ',', chr(10), '    "usage_sha256": "',
                h.usage_sha256, '",', chr(10), '    "tzdata": ', json_text(h.tzdata), chr(10), '  }'
            )
            ELSE 'null'
        END,
        ',', chr(10), '  "detail": ',
        CASE
            WHEN d.json_detail IS NULL THEN '[]'
            ELSE concat('[', chr(10), d.json_detail, chr(10), '  ]')
        END,
        ',', chr(10), '  "content_sha256": "', h.content_sha256, '"', chr(10), '}', chr(10)
    )) AS json,
    encode(concat($line_columns, chr(13), chr(10), l.csv_lines)) AS csv,
    encode(concat($detail_columns, chr(13), chr(10), d.csv_detail)) AS detail_csv,
    d.csv_detail IS NOT NULL AS has_detail
FROM heads AS h
INNER JOIN rendered_lines AS l ON h.invoice_no = l.invoice_no
INNER JOIN rendered_taxes AS x ON h.invoice_no = x.invoice_no
INNER JOIN rendered_sellers AS s ON h.seller = s.seller
LEFT JOIN rendered_detail AS d ON h.invoice_no = d.invoice_no
ORDER BY h.invoice_no;
