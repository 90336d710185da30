-- Answers: the charges behind one invoice line: of a correction its own, else those of its item, region and card.
-- Grain: one row per charge.
-- Reads: charges, invoice_corrections, invoice_events.
CREATE OR REPLACE TEMP TABLE explained_charges AS
WITH void AS (
    SELECT DISTINCT invoice_no
    FROM invoice_events
    WHERE status = 'void'
),

own AS (
    SELECT charge_id
    FROM invoice_corrections
    WHERE invoice_no = $invoice_no AND line_no = $line_no
),

elsewhere AS (
    SELECT carried.charge_id
    FROM invoice_corrections AS carried
    LEFT JOIN void ON carried.invoice_no = void.invoice_no
    WHERE void.invoice_no IS NULL
)

SELECT charges.*
FROM charges
WHERE
    charges.account_id = $account_id
    AND (
        ($kind = 'correction' AND charges.charge_id IN (SELECT charge_id FROM own))
        OR (
            $kind = 'usage'
            AND charges.month = $month
            AND charges.item = $item
            AND charges.region = $region
            AND charges.rate_card = $rate_card
            AND charges.journal_no < $journal_no
            AND charges.charge_id NOT IN (SELECT charge_id FROM elsewhere)
        )
    );
