-- Answers: the figures of each chosen document, for the list that the command prints.
-- Grain: one row per document, in the order of numbers.
-- Reads: $heads, $lines (the issued ones or those of a draft), invoice_chosen.
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
