-- What each document's appendix said of each name when it was issued: what its lines are shared out by.
-- Grain: one row per document × domain × class × region, of the journal records in the session's lake_range.
-- Reads: invoice_detail, invoices.
-- Read by: sql/views/domain_bills.sql.
SELECT
    d.invoice_no,
    d.domain,
    d.class,
    d.region,
    CAST(sum(d.requests) AS BIGINT) AS requests,
    CAST(sum(d.bytes_sent) AS BIGINT) AS bytes_sent
FROM invoice_detail AS d
INNER JOIN invoices AS i ON d.invoice_no = i.invoice_no
WHERE i.journal_no > getvariable('lake_range').after AND i.journal_no <= getvariable('lake_range').through
GROUP BY d.invoice_no, d.domain, d.class, d.region
ORDER BY d.invoice_no, d.domain, d.class, d.region;
