-- What FOCUS says was billed is what the documents say: sum(BilledCost) of an InvoiceId is its total, rows of charges are the charges.
-- Grain: one row per document, or account's charges, that differs. Void documents and what took them back have no rows.
-- Reads: the lake: focus, invoices, charges.
-- Read by: billing/commands/compare.py.
WITH standing AS (
    SELECT i.invoice_no, i.total
    FROM invoices AS i
    LEFT JOIN invoices AS c ON i.corrects = c.invoice_no
    WHERE i.status <> 'void' AND NOT (i.kind = 'credit_note' AND c.status IS NOT DISTINCT FROM 'void')
),

compared AS (
    SELECT 'document' AS what, coalesce(s.invoice_no, f."InvoiceId") AS id, s.total AS wanted, f.billed
    FROM standing AS s
    FULL JOIN (
        SELECT "InvoiceId", sum("BilledCost") AS billed
        FROM focus
        WHERE "InvoiceId" IS NOT NULL
        GROUP BY "InvoiceId"
    ) AS f ON s.invoice_no = f."InvoiceId"
    UNION ALL
    SELECT 'charges of' AS what, coalesce(c.account_id, f."BillingAccountId") AS id, c.amount AS wanted, f.billed
    FROM (SELECT account_id, sum(amount) AS amount FROM charges GROUP BY account_id) AS c
    FULL JOIN (
        SELECT "BillingAccountId", sum("BilledCost") AS billed
        FROM focus
        WHERE "x_ChargeId" IS NOT NULL
        GROUP BY "BillingAccountId"
    ) AS f ON c.account_id = f."BillingAccountId"
)

SELECT what, id, wanted, billed
FROM compared
WHERE coalesce(wanted, 0) <> coalesce(billed, 0)
ORDER BY what, id
