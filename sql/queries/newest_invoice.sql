-- What stands on an account's newest invoice: what was free, what a plan paid, what money pays?
-- Grain: one row per line of the newest invoice of the account.
-- Reads: invoices, invoice_lines.
-- Read by: people (edgetoll query), examples/stage.py.
-- Parameter account (text): the account, by its id
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
