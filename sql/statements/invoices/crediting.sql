-- Credit notes: what stands on the invoice, what is left of it, and the note itself.
-- billing/invoices/crediting.py runs them in this order; the note is finished by the chapter settle.
-- Money is HUGEINT, 10^-10 currency units.

-- name: standing_of
-- One row, none if there is no such document. Where one document stands, what was credited on it already, and what
-- it is about.
WITH noted AS (
    SELECT max_by(status, journal_no) AS status
    FROM invoice_events
    WHERE invoice_no = $invoice_no
),

credited AS (
    SELECT
        CAST(coalesce(sum(total), 0) AS HUGEINT) AS total,
        coalesce(string_agg(invoice_no, ', ' ORDER BY invoice_no), '') AS numbers
    FROM invoices
    WHERE kind = 'credit_note' AND corrects = $invoice_no
)

SELECT
    invoices.invoice_no,
    invoices.kind,
    coalesce(noted.status, 'issued') AS status,
    invoices.account_id,
    invoices.month,
    invoices.currency,
    invoices.digits,
    invoices.total,
    coalesce(invoices.details ->> '$.seller', '') AS seller_id,
    credited.total AS credited,
    credited.numbers
FROM invoices
CROSS JOIN noted
CROSS JOIN credited
WHERE invoices.invoice_no = $invoice_no;

-- name: note_of_run
-- At most one row: the credit note that a run of that id issued (it carries its command's key), its reason, its net and its line.
SELECT
    invoices.invoice_no,
    invoices.corrects,
    invoices.total,
    invoices.currency,
    invoices.reason,
    CAST(sum(lines.settled_amount) AS HUGEINT) AS net,
    min(lines.line_no) AS line_no
FROM invoices
INNER JOIN invoice_lines AS lines ON invoices.invoice_no = lines.invoice_no
WHERE invoices.run_id = $run_id
GROUP BY invoices.invoice_no, invoices.corrects, invoices.total, invoices.currency, invoices.reason;

-- name: left_of_line
-- One row. What is left of one invoice line after the credit notes on it, in 10^-10 units; null without such a line.
SELECT CAST(sum(lines.settled_amount) AS HUGEINT) AS net_left
FROM invoice_lines AS lines
INNER JOIN invoices USING (invoice_no)
WHERE lines.line_no = $line_no
    AND (invoices.invoice_no = $invoice_no OR (invoices.kind = 'credit_note' AND invoices.corrects = $invoice_no));

-- name: last_number
-- One row; 0 when the series has not begun. The last number given in a series.
SELECT coalesce(max(last_number), 0) AS last_number
FROM invoice_series
WHERE series = $series;

-- name: credit_all_lines
-- One row per line. The lines of a credit note that takes back a whole invoice.
CREATE OR REPLACE TEMP TABLE invoice_out_lines AS
SELECT
    $number_text::VARCHAR AS invoice_no,
    line_no,
    'credit' AS kind,
    item,
    region,
    domain,
    -quantity AS quantity,
    -free_quantity AS free_quantity,
    -plan_quantity AS plan_quantity,
    -billable_quantity AS billable_quantity,
    unit,
    unit_quantity,
    unit_price,
    -amount AS amount,
    -settled_amount AS settled_amount,
    -leftover AS leftover,
    tax_rate_bp,
    -tax AS tax,
    rate_card,
    tier,
    corrects_invoice,
    corrects_hour,
    reason,
    corrects_until
FROM invoice_lines
WHERE invoice_no = $invoice_no
ORDER BY line_no;

-- name: credit_one_line
-- One row. The line of a credit note that gives back part of one invoice line, under its number; tax rounded half
-- up. $amount is the net given back, positive, in whole minor units ($step).
CREATE OR REPLACE TEMP TABLE invoice_out_lines AS
SELECT
    $number_text::VARCHAR AS invoice_no,
    line_no,
    'credit' AS kind,
    item,
    region,
    domain,
    0::HUGEINT AS quantity,
    0::HUGEINT AS free_quantity,
    0::HUGEINT AS plan_quantity,
    0::HUGEINT AS billable_quantity,
    unit,
    0::BIGINT AS unit_quantity,
    0::HUGEINT AS unit_price,
    -$amount::HUGEINT AS amount,
    -$amount::HUGEINT AS settled_amount,
    0::HUGEINT AS leftover,
    tax_rate_bp,
    -(
        ($amount::HUGEINT * CAST(tax_rate_bp * 100 AS HUGEINT) * 2 + 1000000 * $step::HUGEINT)
        // (2000000 * $step::HUGEINT) * $step::HUGEINT
    ) AS tax,
    rate_card,
    '' AS tier,
    invoice_no AS corrects_invoice,
    NULL::TIMESTAMP AS corrects_hour,
    $reason::VARCHAR AS reason,
    NULL::TIMESTAMP AS corrects_until
FROM invoice_lines
WHERE invoice_no = $invoice_no AND line_no = $line_no;

-- name: credit_detail
-- No row. A credit note has no appendix.
CREATE OR REPLACE TEMP TABLE invoice_out_detail AS
SELECT * FROM invoice_detail WHERE false;

-- name: credit_head
-- One row. The head of a credit note on one invoice. A full one mirrors the invoice's sums, a partial one has no
-- cut.
CREATE OR REPLACE TEMP TABLE invoice_heads AS
WITH sums AS (
    SELECT
        CAST(sum(amount) AS HUGEINT) AS subtotal,
        CAST(sum(settled_amount) AS HUGEINT) AS net,
        CAST(sum(tax) AS HUGEINT) AS tax,
        CASE count(DISTINCT tax_rate_bp) WHEN 1 THEN min(tax_rate_bp) END AS tax_rate_bp
    FROM invoice_out_lines
)

SELECT
    $number_text::VARCHAR AS invoice_no,
    $series::VARCHAR AS series,
    $number::BIGINT AS number,
    'credit_note' AS kind,
    invoices.account_id,
    invoices.month,
    invoices.currency,
    invoices.digits,
    $issued_at::TIMESTAMP AS issued_at,
    $issued_on::DATE AS due_on,
    invoices.period_start,
    invoices.period_end,
    invoices.timezone,
    $seller::VARCHAR AS seller,
    invoices.customer_name,
    invoices.customer_address,
    invoices.customer_country,
    invoices.customer_tax_id,
    invoices.customer_email,
    sums.subtotal,
    CAST(sums.subtotal - sums.net AS HUGEINT) AS cut,
    sums.tax,
    CAST(sums.net + sums.tax AS HUGEINT) AS total,
    sums.tax_rate_bp,
    0::BIGINT AS hours,
    0::BIGINT AS incomplete_hours,
    0::BIGINT AS certificates,
    '' AS usage_sha256,
    invoices.invoice_no AS corrects,
    $reason::VARCHAR AS reason,
    $run_id::VARCHAR AS run_id,
    NULL::VARCHAR AS tzdata,
    CASE
        WHEN (invoices.details ->> '$.costs') IS NULL THEN invoices.details
        ELSE CAST(json_merge_patch(invoices.details, '{"costs": null}') AS VARCHAR)
    END AS details
FROM invoices
CROSS JOIN sums
WHERE invoices.invoice_no = $invoice_no;

-- name: credit_transfers
-- One row added. What a partial credit note moves besides tax: its net, from the item's revenue back to the
-- customer.
INSERT INTO invoice_out_transfers BY NAME
SELECT
    'credit:' || heads.invoice_no AS transfer_id,
    'revenue:' || lines.item AS debit_account,
    'customer:' || heads.account_id || ':funds' AS credit_account,
    CAST(-lines.amount AS HUGEINT) AS amount,
    heads.currency,
    'credit_note' AS code,
    heads.account_id,
    heads.issued_at AS effective_at,
    heads.invoice_no AS reference
FROM invoice_out_heads AS heads
INNER JOIN invoice_out_lines AS lines ON heads.invoice_no = lines.invoice_no;
