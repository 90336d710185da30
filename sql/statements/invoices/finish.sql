-- The finished documents of a run: appendix, evidence, heads, the hash of their content, what issuing posts.
-- Run by billing/invoices/run.py in this order, after settle; a credit note uses the last four too.
-- The invoice_out_* tables are what the journal record holds, which puts their rows in order.

-- name: out_lines
-- One row per document × line, as the journal keeps them.
CREATE OR REPLACE TEMP TABLE invoice_out_lines AS
SELECT
    numbers.invoice_no,
    lines.line_no,
    lines.kind,
    lines.item,
    lines.region,
    NULL::VARCHAR AS domain,
    lines.quantity,
    lines.free_quantity,
    lines.plan_quantity,
    lines.billable_quantity,
    lines.unit,
    lines.unit_quantity,
    lines.unit_price,
    lines.amount,
    taxed.settled_amount,
    taxed.leftover,
    taxed.tax_rate_bp,
    taxed.tax,
    lines.rate_card,
    lines.tier,
    lines.corrects_invoice,
    lines.corrects_hour,
    lines.reason,
    lines.corrects_until
FROM invoice_exact_lines AS lines
INNER JOIN invoice_numbers AS numbers ON lines.account_no = numbers.account_no
INNER JOIN invoice_taxed_lines AS taxed ON lines.account_no = taxed.account_no AND lines.line_no = taxed.line_no;

-- name: detail
-- One row per invoice × day × domain × class × region. The appendix: what each due account's domains used on each
-- local day of the month.
CREATE OR REPLACE TEMP TABLE invoice_out_detail AS
SELECT
    numbers.invoice_no,
    days.day,
    usage.domain,
    usage.class,
    usage.region,
    CAST(sum(usage.requests) AS BIGINT) AS requests,
    CAST(sum(usage.bytes_sent) AS BIGINT) AS bytes_sent
FROM usage
INNER JOIN invoice_due AS due ON usage.account_id = due.account_id
INNER JOIN invoice_numbers AS numbers ON due.account_no = numbers.account_no
INNER JOIN invoice_days AS days
    ON due.timezone = days.timezone
    AND usage.bucket >= days.day_start
    AND usage.bucket < days.day_end
WHERE usage.import_no <= $import_no
GROUP BY numbers.invoice_no, days.day, usage.domain, usage.class, usage.region;

-- name: evidence
-- One row per time zone. How complete the usage of the month was proved to be, for each time zone. The hash names
-- the usage: each file's hour, state and data hash in order. A certificate of a run of empty hours covers all of
-- them; an hour is what its last revision says.
CREATE OR REPLACE TEMP TABLE invoice_evidence AS
WITH files AS (
    SELECT
        zones.timezone,
        files.hour,
        files.partition,
        files.revision,
        files.state,
        files.data_sha256,
        greatest(
            coalesce(CAST(files.certificate ->> '$.empty_since' || ':00:00' AS TIMESTAMP), files.hour),
            date_trunc('hour', zones.period_start)
        ) AS first_hour,
        least(files.hour + INTERVAL 1 HOUR, zones.period_end) AS covered_until
    FROM imported_files AS files
    INNER JOIN invoice_zones AS zones ON files.hour + INTERVAL 1 HOUR > zones.period_start
    WHERE files.import_no <= $import_no AND NOT files.too_old AND first_hour < zones.period_end
),

covered AS (
    SELECT
        timezone,
        partition,
        revision,
        state,
        unnest(range(first_hour, covered_until, INTERVAL 1 HOUR)) AS hour
    FROM files
),

newest AS (
    SELECT timezone, hour, max_by(state, revision) AS state
    FROM covered
    GROUP BY timezone, hour, partition
),

counted AS (
    SELECT
        timezone,
        count(DISTINCT hour) AS hours,
        count(DISTINCT hour) FILTER (state = 'incomplete') AS incomplete_hours
    FROM newest
    GROUP BY timezone
),

hashed AS (
    SELECT
        timezone,
        count(*) AS certificates,
        string_agg(
            concat_ws(' ', strftime(hour, '%Y-%m-%dT%H'), partition, revision, state, data_sha256),
            chr(10) ORDER BY hour, partition, revision
        ) AS hashes
    FROM files
    GROUP BY timezone
)

SELECT
    zones.timezone,
    coalesce(counted.hours, 0) AS hours,
    coalesce(counted.incomplete_hours, 0) AS incomplete_hours,
    coalesce(hashed.certificates, 0) AS certificates,
    sha256(coalesce(hashed.hashes, '')) AS usage_sha256
FROM invoice_zones AS zones
LEFT JOIN counted ON zones.timezone = counted.timezone
LEFT JOIN hashed ON zones.timezone = hashed.timezone;

-- name: issuing_sellers
-- One row per seller: its text as it is kept with documents (of a month that is not over with a word of that), the day
-- of issue by its calendar, and its terms.
CREATE OR REPLACE TEMP TABLE invoice_sellers AS
SELECT
    unnest($sellers::VARCHAR[]) AS seller_id,
    unnest($texts::VARCHAR[]) AS seller,
    unnest($early_texts::VARCHAR[]) AS early_seller,
    unnest($issued_on::DATE[]) AS issued_on,
    unnest($payment_days::INTEGER[]) AS payment_days;

-- name: heads
-- One row per document, without the hash of its content. A draft is due on no day. details: the account's, with the
-- language, where it is not English, why there is no tax, where a table of taxes said so, and what it costs by the tag asked for.
CREATE OR REPLACE TEMP TABLE invoice_heads AS
WITH untaxed AS (
    SELECT account_id, any_value(category) AS category, any_value(sentence) AS sentence, any_value(code) AS code
    FROM invoice_tax_rates
    WHERE tax_rate_bp = 0 AND category IS NOT NULL
    GROUP BY account_id
),

said AS (
    SELECT
        due.account_id,
        CASE
            WHEN due.language = 'en' AND untaxed.category IS NULL AND costs.costs IS NULL THEN due.details
            ELSE CAST(json_merge_patch(
                coalesce(due.details, '{}'),
                json_object(
                    'language', nullif(due.language, 'en'),
                    'tax_category', untaxed.category,
                    'tax_reason', nullif(untaxed.sentence, ''),
                    'tax_reason_code', nullif(untaxed.code, ''),
                    'costs', costs.costs
                )
            ) AS VARCHAR)
        END AS details
    FROM invoice_due AS due
    LEFT JOIN untaxed ON due.account_id = untaxed.account_id
    LEFT JOIN invoice_costs AS costs ON due.account_id = costs.account_id
)

SELECT
    numbers.invoice_no,
    numbers.series,
    CAST(numbers.number AS BIGINT) AS number,
    numbers.kind,
    due.account_id,
    $month::VARCHAR AS month,
    due.currency,
    totals.digits,
    $issued_at::TIMESTAMP AS issued_at,
    CASE
        WHEN $is_draft THEN NULL
        WHEN numbers.kind = 'credit_note' THEN sellers.issued_on
        ELSE CAST(
            CASE
                WHEN due.details ->> '$.payment_terms' LIKE 'end of month%' THEN last_day(sellers.issued_on)
                ELSE sellers.issued_on
            END
            + to_days(coalesce(
                CAST(regexp_extract(due.details ->> '$.payment_terms', '([0-9]+) day', 1) AS INTEGER),
                sellers.payment_days
            )) AS DATE
        )
    END AS due_on,
    zones.period_start,
    zones.period_end,
    due.timezone,
    CASE WHEN zones.period_end > $issued_at::TIMESTAMP THEN sellers.early_seller ELSE sellers.seller END AS seller,
    due.name AS customer_name,
    due.address AS customer_address,
    due.country AS customer_country,
    due.tax_id AS customer_tax_id,
    due.email AS customer_email,
    CAST(totals.subtotal AS HUGEINT) AS subtotal,
    CAST(totals.cut AS HUGEINT) AS cut,
    totals.tax,
    CAST(totals.total AS HUGEINT) AS total,
    totals.tax_rate_bp,
    evidence.hours,
    evidence.incomplete_hours,
    evidence.certificates,
    evidence.usage_sha256,
    CASE numbers.kind WHEN 'invoice' THEN due.corrects END AS corrects,
    CASE
        WHEN due.corrects IS NOT NULL THEN 'Replaces the void invoice ' || due.corrects
        WHEN numbers.kind = 'credit_note' THEN 'Corrections of earlier months are more than this month costs'
        ELSE ''
    END AS reason,
    $run_id::VARCHAR AS run_id,
    $tzdata::VARCHAR AS tzdata,
    said.details
FROM invoice_totals AS totals
INNER JOIN invoice_numbers AS numbers ON totals.account_no = numbers.account_no
INNER JOIN invoice_due AS due ON totals.account_no = due.account_no
INNER JOIN said ON due.account_id = said.account_id
INNER JOIN invoice_sellers AS sellers ON due.seller_id = sellers.seller_id
INNER JOIN invoice_zones AS zones ON due.timezone = zones.timezone
INNER JOIN invoice_evidence AS evidence ON due.timezone = evidence.timezone;

-- name: balances
-- One row per document: what the account owed on documents when the last one was issued, what was paid since then, and
-- how much of this one is there already. A draft asks for nothing and says nothing of it.
CREATE OR REPLACE TEMP TABLE invoice_balances AS
WITH asked AS (
    SELECT i.account_id, i.currency, CAST(sum(i.total) AS HUGEINT) AS asked, max(i.journal_no) AS last_no
    FROM invoices AS i
    SEMI JOIN invoice_heads AS h ON i.account_id = h.account_id
    GROUP BY i.account_id, i.currency
),

moved AS (
    SELECT
        t.account_id,
        t.currency,
        CAST(sum(CASE WHEN t.credit_account LIKE 'customer:%' THEN t.amount ELSE -t.amount END) AS HUGEINT) AS paid
    FROM posted_transfers AS t
    SEMI JOIN invoice_heads AS h ON t.account_id = h.account_id
    LEFT JOIN asked AS a ON t.account_id = a.account_id AND t.currency = a.currency
    WHERE
        t.journal_no > coalesce(a.last_no, 0)
        AND split_part(
            CASE WHEN t.credit_account LIKE 'customer:%' THEN t.debit_account ELSE t.credit_account END, ':', 1
        ) NOT IN ('revenue', 'tax', 'cut')
    GROUP BY t.account_id, t.currency
),

stands AS (
    SELECT
        h.invoice_no,
        h.total,
        coalesce(a.asked, 0) - coalesce(b.cash, 0) - coalesce(b.vouchers, 0) AS owed,
        coalesce(m.paid, 0) AS paid
    FROM invoice_heads AS h
    LEFT JOIN asked AS a ON h.account_id = a.account_id AND h.currency = a.currency
    LEFT JOIN balances AS b ON h.account_id = b.account_id AND h.currency = b.currency
    LEFT JOIN moved AS m ON h.account_id = m.account_id AND h.currency = m.currency
    WHERE h.due_on IS NOT NULL
)

SELECT
    invoice_no,
    CAST(owed + paid AS HUGEINT) AS balance_before,
    CAST(paid AS HUGEINT) AS payments_since,
    CAST(greatest(0, least(total, -owed)) AS HUGEINT) AS prepaid_used
FROM stands;

-- name: no_out_heads
-- No row yet: the shape of the finished heads.
CREATE OR REPLACE TEMP TABLE invoice_out_heads AS
SELECT h.*, b.* EXCLUDE (invoice_no), ''::VARCHAR AS content_sha256
FROM invoice_heads AS h
LEFT JOIN invoice_balances AS b ON h.invoice_no = b.invoice_no
WITH NO DATA;

-- name: out_heads
-- One row per document of part $part of $parts, since the text of a million documents at once does not fit into memory: as
-- the journal keeps it, with the SHA-256 of each document's content: head, lines and appendix (FAULTS I4, decision 0703).
-- What was not kept yet when older documents were issued stands last and is NULL there, which concat_ws leaves out.
INSERT INTO invoice_out_heads
WITH line_texts AS (
    SELECT
        invoice_no,
        -- Sorted as a list, which takes three quarters of the time of string_agg(… ORDER BY …).
        list({'place': line_no, 'text':
            concat_ws(
                chr(31), line_no, kind, item, region, coalesce(domain, ''), quantity, free_quantity, plan_quantity,
                billable_quantity, unit, unit_quantity, unit_price, amount, settled_amount, leftover,
                rate_text(tax_rate_bp), tax, rate_card, tier, coalesce(corrects_invoice, ''),
                coalesce(CAST(corrects_hour AS VARCHAR), ''), reason, CAST(corrects_until AS VARCHAR)
            )
        }) AS content
    FROM invoice_out_lines
    WHERE hash(invoice_no) % $parts::UBIGINT = $part::UBIGINT
    GROUP BY invoice_no
),

detail_texts AS (
    SELECT
        invoice_no,
        list({
            'day': day, 'domain': domain, 'class': class, 'region': region,
            'text': concat_ws(chr(31), day, domain, class, region, requests, bytes_sent)
        }) AS content
    FROM invoice_out_detail
    WHERE hash(invoice_no) % $parts::UBIGINT = $part::UBIGINT
    GROUP BY invoice_no
)

SELECT
    heads.*,
    balances.* EXCLUDE (invoice_no),
    sha256(concat_ws(
        chr(29),
        concat_ws(
            chr(31), heads.invoice_no, heads.series, heads.number, heads.kind, heads.account_id, heads.month,
            heads.currency, heads.digits, heads.issued_at, heads.due_on, heads.period_start, heads.period_end,
            heads.timezone, heads.seller, heads.customer_name, heads.customer_address, heads.customer_country,
            heads.customer_tax_id, heads.customer_email, heads.subtotal, heads.cut, heads.tax, heads.total,
            coalesce(rate_text(heads.tax_rate_bp), ''), heads.hours, heads.incomplete_hours, heads.certificates, heads.usage_sha256,
            coalesce(heads.corrects, ''), heads.reason, heads.tzdata, balances.balance_before, balances.payments_since,
            balances.prepaid_used, heads.details
        ),
        coalesce(sorted_texts(line_texts.content), ''),
        coalesce(sorted_texts(detail_texts.content), '')
    )) AS content_sha256
FROM invoice_heads AS heads
LEFT JOIN invoice_balances AS balances ON heads.invoice_no = balances.invoice_no
LEFT JOIN line_texts ON heads.invoice_no = line_texts.invoice_no
LEFT JOIN detail_texts ON heads.invoice_no = detail_texts.invoice_no
WHERE hash(heads.invoice_no) % $parts::UBIGINT = $part::UBIGINT;

-- name: out_transfers
-- One row per document and kind, only where there is an amount. What issuing moves in the ledger: tax is owed, the
-- cut is given back; charges were posted when rated.
CREATE OR REPLACE TEMP TABLE invoice_out_transfers AS
WITH moves AS (
    SELECT
        invoice_no,
        account_id,
        currency,
        issued_at,
        'tax' AS code,
        tax AS owed
    FROM invoice_out_heads
    UNION ALL
    SELECT
        invoice_no,
        account_id,
        currency,
        issued_at,
        'cut' AS code,
        -cut AS owed
    FROM invoice_out_heads
)

SELECT
    code || ':' || invoice_no AS transfer_id,
    CASE WHEN owed > 0 THEN 'customer:' || account_id || ':funds' ELSE code || ':' || currency END AS debit_account,
    CASE WHEN owed > 0 THEN code || ':' || currency ELSE 'customer:' || account_id || ':funds' END AS credit_account,
    CAST(abs(owed) AS HUGEINT) AS amount,
    currency,
    code,
    account_id,
    issued_at AS effective_at,
    invoice_no AS reference
FROM moves
WHERE owed <> 0;

-- name: out_corrections
-- One row per charge. Which charges of earlier months each correction line carries.
CREATE OR REPLACE TEMP TABLE invoice_out_corrections AS
SELECT
    numbers.invoice_no,
    lines.line_no,
    late.charge_id
FROM invoice_late AS late
INNER JOIN invoice_due AS due ON late.account_id = due.account_id
INNER JOIN invoice_exact_lines AS lines
    ON due.account_no = lines.account_no
    AND lines.kind = 'correction'
    AND late.item = lines.item
    AND late.region = lines.region
    AND late.rate_card = lines.rate_card
    AND late.corrects_invoice = lines.corrects_invoice
    AND late.reason = lines.reason
INNER JOIN invoice_numbers AS numbers ON lines.account_no = numbers.account_no;
