-- What stands on an account's newest invoice: what was free, what a plan paid, what money pays?
-- Grain: one row per line of the newest invoice of the account.
-- Reads: invoices, invoice_lines.
-- Parameter account (text): the account, by its id
-- Read by: people (edgetoll query), examples/stage.py.
WITH newest AS (
    SELECT max(invoice_no) AS invoice_no
    FROM invoices
    WHERE account_id = $account
)

SELECT
    l.line_no,
    l.item,
    l.region,
    l.quantity,
    l.plan_quantity,
    l.billable_quantity,
    l.unit,
    l.unit_price,
    l.amount
FROM invoice_lines AS l
INNER JOIN newest AS n ON l.invoice_no = n.invoice_no
ORDER BY l.line_no

-- Sample:
-- edgetoll query newest_invoice --param account=acme
-- | line_no | item | region | quantity | plan_quantity | billable_quantity | unit | unit_price | amount |
-- | ---: | --- | --- | ---: | ---: | ---: | --- | ---: | ---: |
-- | 1 | https_requests | all | 186096 | 0 | 186096 | 10,000 requests | 0.0080000000 | 0.1488768000 |
-- | 2 | data_transfer | EU | 12884901888 | 2147483648 | 10737418240 | GB | 0.0700000000 | 0.7000000000 |
-- | 3 | data_transfer | EU | 3524225490 | 0 | 3524225490 | GB | 0.0600000000 | 0.1969314454 |
