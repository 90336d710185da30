-- Answers: the appendices of the chosen documents.
-- Grain: one row per document × day × domain × class × region, in that order.
-- Reads: $detail (invoice_detail or a draft of it), invoice_chosen.
SELECT
    detail.invoice_no,
    detail.day,
    detail.domain,
    detail.class,
    detail.region,
    detail.requests,
    detail.bytes_sent
FROM query_table($detail) AS detail
INNER JOIN invoice_chosen ON detail.invoice_no = invoice_chosen.invoice_no
WHERE invoice_chosen.chunk = $chunk
ORDER BY detail.invoice_no, detail.day, detail.domain, detail.class, detail.region;
