-- Which charges were corrected, and why?
-- Grain: one row per correcting charge.
-- Reads: charges.
-- Read by: people (edgetoll query).
SELECT
    account_id,
    month,
    item,
    region,
    period_start,
    revision,
    reason,
    quantity,
    amount,
    currency
FROM charges
WHERE revision > 0
ORDER BY account_id, period_start, item, revision
