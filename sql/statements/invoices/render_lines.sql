-- Answers: each chosen document's lines as JSON and as CSV, joined in order.
-- Grain: one row per document.
-- Reads: $heads, $lines, invoice_chosen, the text macros.
CREATE OR REPLACE TEMP TABLE rendered_lines AS
WITH heads AS (
    SELECT h.*
    FROM query_table($heads) AS h
    INNER JOIN invoice_chosen AS c ON h.invoice_no = c.invoice_no
    WHERE c.chunk = $chunk
),

before AS (
    SELECT
        invoice_no,
        digits,
        concat_ws(
            ',', csv_text(invoice_no), kind, csv_text(account_id), csv_text(customer_name), month, currency,
            stamp_text(issued_at), CAST(due_on AS VARCHAR)
        ) AS csv_before,
        concat_ws(
            ',', exact_text(subtotal), exact_text(cut), minor_text(subtotal - cut, digits), minor_text(tax, digits),
            minor_text(total, digits)
        ) AS csv_after
    FROM heads
),

texts AS (
    SELECT
        l.invoice_no,
        l.line_no,
        b.csv_before,
        b.csv_after,
        l.kind,
        l.item,
        l.region,
        l.domain,
        l.unit,
        l.unit_quantity,
        l.quantity,
        l.free_quantity,
        l.plan_quantity,
        l.billable_quantity,
        exact_text(l.unit_price) AS unit_price,
        exact_text(l.amount) AS amount,
        minor_text(l.settled_amount, b.digits) AS settled_amount,
        minor_text(l.leftover, b.digits) AS leftover,
        percent_text(l.tax_rate_bp) AS tax_rate,
        minor_text(l.tax, b.digits) AS tax,
        l.rate_card,
        l.tier,
        l.corrects_invoice,
        stamp_text(l.corrects_hour) AS corrects_hour,
        l.reason
    FROM query_table($lines) AS l
    INNER JOIN before AS b ON l.invoice_no = b.invoice_no
)

SELECT
    invoice_no,
    string_agg(
        concat(
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
            json_text(corrects_hour), ',', chr(10), '      "reason": ', json_text(reason), chr(10), '    }'
        ),
        ',' || chr(10) ORDER BY line_no
    ) AS json_lines,
    string_agg(
        concat_ws(
            ',', csv_before, line_no, kind, item, csv_text(region), csv_text(domain), quantity, free_quantity,
            plan_quantity, billable_quantity, csv_text(unit), unit_quantity, unit_price, amount, settled_amount,
            tax_rate, tax, csv_text(rate_card), csv_text(tier), csv_text(corrects_invoice),
            coalesce(corrects_hour, ''), csv_text(reason), csv_after
        ) || chr(13) || chr(10),
        '' ORDER BY line_no
    ) AS csv_lines
FROM texts
GROUP BY invoice_no;
