-- Answers: how many invoices the two newest months have, whose documents must exist.
-- Grain: one row per month.
-- Reads: issued_months.
SELECT month, COUNT(DISTINCT invoice_no) AS invoices
FROM issued_months
GROUP BY month
ORDER BY month DESC
LIMIT 2;
