-- What stands on an invoice?
-- Grain: one row per line.
-- Reads: invoice_lines, invoices.
-- Parameter invoice (text): the document's number
-- Read by: people (edgetoll query).
SELECT
    l.line_no,
    l.item,
    l.region,
    l.quantity,
    l.free_quantity,
    l.plan_quantity,
    l.billable_quantity,
    l.unit,
    l.unit_price,
    l.tier,
    l.amount,
    l.tax,
    i.currency,
    l.corrects_invoice,
    l.corrects_hour,
    l.reason,
    i.account_id,
    i.month
FROM invoice_lines AS l
INNER JOIN invoices AS i ON l.invoice_no = i.invoice_no
WHERE l.invoice_no = $invoice
ORDER BY l.line_no

-- Sample:
-- edgetoll query lines_of_invoice --param invoice=INV-USD-2026-000001
-- | line_no | item | region | quantity | free_quantity | plan_quantity | billable_quantity | unit | unit_price | tier | amount | tax | currency | corrects_invoice | corrects_hour | reason | account_id | month |
-- | ---: | --- | --- | ---: | ---: | ---: | ---: | --- | ---: | --- | ---: | ---: | --- | --- | --- | --- | --- | --- |
-- | 1 | https_requests | all | 186096 | 0 | 0 | 186096 | 10,000 requests | 0.0080000000 |  | 0.1488768000 | 0.0300000000 | USD |  |  |  | acme | 2026-10 |
-- | 2 | data_transfer | EU | 12884901888 | 0 | 2147483648 | 10737418240 | GB | 0.0700000000 | 0–10 GB | 0.7000000000 | 0.1300000000 | USD |  |  |  | acme | 2026-10 |
-- | 3 | data_transfer | EU | 3524225490 | 0 | 0 | 3524225490 | GB | 0.0600000000 | 10–100 GB | 0.1969314454 | 0.0400000000 | USD |  |  |  | acme | 2026-10 |
