-- Answers: which charges of earlier, issued months stand on no invoice yet: the next one carries them.
-- Grain: one row per charge.
-- Reads: charges, issued_months, invoice_corrections, invoices, invoice_events.
CREATE OR REPLACE TEMP TABLE invoice_late AS
WITH void AS (
    SELECT DISTINCT invoice_no
    FROM invoice_events
    WHERE status = 'void'
),

carried AS (
    SELECT invoice_corrections.charge_id
    FROM invoice_corrections
    LEFT JOIN void USING (invoice_no)
    WHERE void.invoice_no IS NULL
)

SELECT
    charges.charge_id,
    charges.account_id,
    charges.month,
    charges.item,
    charges.region,
    charges.period_start,
    charges.quantity,
    charges.free_quantity,
    charges.plan_quantity,
    charges.billable_quantity,
    charges.amount,
    charges.rate_card,
    charges.reason,
    issued_months.invoice_no AS corrects_invoice
FROM charges
INNER JOIN issued_months
    ON charges.account_id = issued_months.account_id AND charges.month = issued_months.month
LEFT JOIN carried ON charges.charge_id = carried.charge_id
WHERE
    charges.journal_no > issued_months.journal_no
    AND charges.month < $month
    AND carried.charge_id IS NULL
    AND ($account IS NULL OR charges.account_id = $account);
