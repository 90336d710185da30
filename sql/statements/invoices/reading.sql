-- From the tables back to the documents: which ones are chosen, and what stands on them.
-- billing/invoices/reading.py runs them a chunk at a time, so that a million documents never stand in memory.
-- $heads, $lines and $detail name the issued tables or those of a draft.

-- name: choose_month
-- One row per document. Which documents belong to a month (and account), for reading them.
CREATE OR REPLACE TEMP TABLE invoice_chosen AS
SELECT
    invoice_no,
    (row_number() OVER (ORDER BY invoice_no) - 1) // $size AS chunk
FROM query_table($heads)
WHERE month = $month AND ($account IS NULL OR account_id = $account);

-- name: choose_one
-- One row, none if there is no such document. One document by its number, for reading it.
CREATE OR REPLACE TEMP TABLE invoice_chosen AS
SELECT
    invoice_no,
    0 AS chunk
FROM invoices
WHERE invoice_no = $invoice_no;

-- name: month_rows
-- One row per document, in the order of numbers. The figures of each chosen document, for the list that the command
-- prints.
WITH counted AS (
    SELECT l.invoice_no, count(*) AS lines
    FROM query_table($lines) AS l
    INNER JOIN invoice_chosen AS c ON l.invoice_no = c.invoice_no
    GROUP BY l.invoice_no
)

SELECT
    h.invoice_no,
    h.account_id,
    h.kind,
    coalesce(counted.lines, 0) AS lines,
    h.currency,
    h.digits,
    h.subtotal,
    h.cut,
    h.tax,
    h.total,
    h.content_sha256
FROM query_table($heads) AS h
INNER JOIN invoice_chosen AS c ON h.invoice_no = c.invoice_no
LEFT JOIN counted ON h.invoice_no = counted.invoice_no
ORDER BY h.invoice_no;

-- name: statuses
-- One row per document. Where the documents of a month stand now.
WITH noted AS (
    SELECT
        invoice_no,
        max_by(status, journal_no) AS status
    FROM invoice_events
    GROUP BY invoice_no
)

SELECT
    invoices.invoice_no,
    coalesce(noted.status, 'issued') AS status
FROM invoices
LEFT JOIN noted ON invoices.invoice_no = noted.invoice_no
WHERE invoices.month = $month;

-- name: read_heads
-- One row per document, in the order of its number. The heads of the chosen documents.
SELECT
    heads.invoice_no,
    heads.kind,
    heads.account_id,
    heads.month,
    heads.currency,
    heads.digits,
    heads.issued_at,
    heads.due_on,
    heads.period_start,
    heads.period_end,
    heads.timezone,
    heads.seller,
    heads.customer_name,
    heads.customer_address,
    heads.customer_country,
    heads.customer_tax_id,
    heads.customer_email,
    heads.subtotal,
    heads.cut,
    heads.tax,
    heads.total,
    heads.tax_rate_bp,
    heads.hours,
    heads.incomplete_hours,
    heads.certificates,
    heads.usage_sha256,
    heads.corrects,
    heads.reason,
    heads.content_sha256,
    heads.tzdata,
    heads.balance_before,
    heads.payments_since,
    heads.prepaid_used,
    heads.details
FROM query_table($heads) AS heads
INNER JOIN invoice_chosen ON heads.invoice_no = invoice_chosen.invoice_no
WHERE invoice_chosen.chunk = $chunk
ORDER BY heads.invoice_no;

-- name: read_lines
-- One row per document × line, in the order of both. The lines of the chosen documents.
SELECT
    lines.invoice_no,
    lines.line_no,
    lines.kind,
    lines.item,
    lines.region,
    lines.domain,
    lines.quantity,
    lines.free_quantity,
    lines.plan_quantity,
    lines.billable_quantity,
    lines.unit,
    lines.unit_quantity,
    lines.unit_price,
    lines.amount,
    lines.settled_amount,
    lines.leftover,
    lines.tax_rate_bp,
    lines.tax,
    lines.rate_card,
    lines.tier,
    lines.corrects_invoice,
    lines.corrects_hour,
    lines.reason,
    lines.corrects_until
FROM query_table($lines) AS lines
INNER JOIN invoice_chosen ON lines.invoice_no = invoice_chosen.invoice_no
WHERE invoice_chosen.chunk = $chunk
ORDER BY lines.invoice_no, lines.line_no;

-- name: read_detail
-- One row per document × day × domain × class × region, in that order. The appendices of the chosen documents.
SELECT
    detail.invoice_no,
    detail.day,
    detail.domain,
    detail.class AS traffic_class,
    detail.region,
    detail.requests,
    detail.bytes_sent
FROM query_table($detail) AS detail
INNER JOIN invoice_chosen ON detail.invoice_no = invoice_chosen.invoice_no
WHERE invoice_chosen.chunk = $chunk
ORDER BY detail.invoice_no, detail.day, detail.domain, detail.class, detail.region;

-- name: e_invoices_chosen
-- One row: how many of the chosen documents are of accounts that had asked for e-invoices, or for costs by tag.
SELECT count(*) AS documents
FROM invoices AS i
INNER JOIN invoice_chosen AS c ON i.invoice_no = c.invoice_no
WHERE (i.details ->> '$.e_invoice') <> '' OR (i.details ->> '$.costs') <> '';

-- name: issued_last
-- One row per month, of the two issued into last: the numbers of all its documents, credit notes among them.
SELECT
    month,
    list(invoice_no ORDER BY invoice_no) AS numbers
FROM invoices
GROUP BY month
ORDER BY max(journal_no) DESC
LIMIT 2;

-- name: issued_months
-- One row per month that has documents.
SELECT DISTINCT month
FROM invoices
ORDER BY month;
