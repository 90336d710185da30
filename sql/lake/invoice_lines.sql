-- What stands on the documents, line by line.
-- Grain: one row per document × line.
-- Reads: invoice_lines.
-- Read by: sql/views/invoice_lines.sql.
SELECT
    l.invoice_no,
    l.line_no,
    l.item,
    l.region,
    l.domain,
    CAST(l.quantity AS BIGINT) AS quantity,
    CAST(l.free_quantity AS BIGINT) AS free_quantity,
    CAST(l.plan_quantity AS BIGINT) AS plan_quantity,
    CAST(l.billable_quantity AS BIGINT) AS billable_quantity,
    l.unit,
    CAST(CAST(l.unit_price AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS unit_price,
    CAST(CAST(l.amount AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount,
    CAST(CAST(l.settled_amount AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS settled_amount,
    CAST(CAST(l.leftover AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS leftover,
    l.tax_rate_bp,
    CAST(CAST(l.tax AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS tax,
    l.kind,
    l.unit_quantity,
    l.rate_card,
    l.tier,
    l.corrects_invoice,
    l.corrects_hour,
    l.reason,
    l.corrects_until
FROM invoice_lines AS l
ORDER BY l.invoice_no, l.line_no;
