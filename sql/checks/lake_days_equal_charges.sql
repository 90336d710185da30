-- What the lake keeps of charges by the day is its charges, added up.
-- Grain: one row per account, month and item whose sums differ.
-- Reads: the lake: lake_charges, lake_charges_daily.
-- Read by: billing/commands/compare.py.
WITH parts AS (
    SELECT account_id, month, item, billable_quantity, quantity, amount * 0.0000000001::DECIMAL(10, 10) AS amount, 1 AS charges, 'charge' AS kept FROM lake_charges
    UNION ALL
    SELECT account_id, month, item, billable_quantity, quantity, amount, charges, 'day' AS kept FROM lake_charges_daily
),

sums AS (
    SELECT
        account_id,
        month,
        item,
        coalesce(sum(quantity) FILTER (kept = 'charge'), 0) AS quantity,
        coalesce(sum(quantity) FILTER (kept = 'day'), 0) AS quantity_by_day,
        coalesce(sum(billable_quantity) FILTER (kept = 'charge'), 0) AS billable,
        coalesce(sum(billable_quantity) FILTER (kept = 'day'), 0) AS billable_by_day,
        coalesce(sum(amount) FILTER (kept = 'charge'), 0) AS amount,
        coalesce(sum(amount) FILTER (kept = 'day'), 0) AS amount_by_day,
        coalesce(sum(charges) FILTER (kept = 'charge'), 0) AS charges,
        coalesce(sum(charges) FILTER (kept = 'day'), 0) AS charges_by_day
    FROM parts
    GROUP BY account_id, month, item
)

SELECT account_id, month, item, quantity, quantity_by_day, billable, billable_by_day, amount, amount_by_day, charges, charges_by_day
FROM sums
WHERE quantity <> quantity_by_day OR billable <> billable_by_day OR amount <> amount_by_day OR charges <> charges_by_day
ORDER BY ALL
