-- What each invoice asks for, what of it is still open, and for how long: receivables, today.
-- Grain: one row per invoice that is not void. Money reaches the oldest invoice first.
-- Owner: billing/invoices.
-- Reads: lake_invoice_balances.
-- Read by: people (edgetoll sql), sql/queries/receivables_ageing.sql, sql/queries/open_invoices.sql.
CREATE VIEW invoice_balances AS
SELECT
    invoice_no,
    account_id,
    month,
    currency,
    due_on,
    owed,
    open_amount,
    CAST(owed - open_amount AS DECIMAL(38, 10)) AS paid_amount,
    CASE WHEN open_amount > 0 THEN greatest(0, date_diff('day', due_on, CAST(now() AS DATE))) END AS days_overdue,
    CASE
        WHEN open_amount = 0 THEN 'paid'
        WHEN CAST(now() AS DATE) <= due_on THEN 'not due'
        WHEN date_diff('day', due_on, CAST(now() AS DATE)) <= 30 THEN '1-30 days'
        WHEN date_diff('day', due_on, CAST(now() AS DATE)) <= 60 THEN '31-60 days'
        WHEN date_diff('day', due_on, CAST(now() AS DATE)) <= 90 THEN '61-90 days'
        ELSE 'over 90 days'
    END AS ageing,
    issued_at,
    total,
    balance_before,
    payments_since,
    prepaid_used,
    CAST(total - prepaid_used AS DECIMAL(38, 10)) AS due_at_issue,
    CAST(balance_before - payments_since + total AS DECIMAL(38, 10)) AS balance_at_issue
FROM lake_invoice_balances
