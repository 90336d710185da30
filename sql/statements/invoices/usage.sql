-- Answers: what each due account used and owes for the month, by item, region and rate card.
-- Grain: one row per account × item × region × rate card.
-- Reads: month_state, charges, invoice_corrections, invoice_events, invoice_due.
CREATE OR REPLACE TEMP TABLE invoice_usage AS
WITH void AS (
    SELECT DISTINCT invoice_no
    FROM invoice_events
    WHERE status = 'void'
),

-- A month voided and issued again: what a standing later invoice already corrected stays there.
carried AS (
    SELECT
        charges.account_id,
        charges.item,
        charges.region,
        charges.rate_card,
        sum(charges.quantity) AS quantity,
        sum(charges.free_quantity) AS free_quantity,
        sum(charges.plan_quantity) AS plan_quantity,
        sum(charges.billable_quantity) AS billable_quantity,
        sum(charges.amount) AS amount
    FROM invoice_corrections
    INNER JOIN charges ON invoice_corrections.charge_id = charges.charge_id
    LEFT JOIN void ON invoice_corrections.invoice_no = void.invoice_no
    WHERE charges.month = $month AND void.invoice_no IS NULL
    GROUP BY charges.account_id, charges.item, charges.region, charges.rate_card
)

SELECT
    state.account_id,
    state.item,
    state.region,
    state.rate_card,
    CAST(state.place_from AS HUGEINT) AS place_from,
    CAST(state.quantity - coalesce(carried.quantity, 0) AS HUGEINT) AS quantity,
    CAST(state.free_quantity - coalesce(carried.free_quantity, 0) AS HUGEINT) AS free_quantity,
    CAST(state.plan_quantity - coalesce(carried.plan_quantity, 0) AS HUGEINT) AS plan_quantity,
    CAST(state.billable_quantity - coalesce(carried.billable_quantity, 0) AS HUGEINT) AS billable_quantity,
    CAST(state.amount - coalesce(carried.amount, 0) AS HUGEINT) AS amount
FROM month_state AS state
INNER JOIN invoice_due AS due ON state.account_id = due.account_id
LEFT JOIN carried
    ON state.account_id = carried.account_id
    AND state.item = carried.item
    AND state.region = carried.region
    AND state.rate_card = carried.rate_card
WHERE state.month = $month;
