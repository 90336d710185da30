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

-- Sample:
-- edgetoll query corrections
-- | account_id | month | item | region | period_start | revision | reason | quantity | amount | currency |
-- | --- | --- | --- | --- | --- | ---: | --- | ---: | ---: | --- |
-- | acme | 2026-10 | data_transfer | EU | 2026-10-05 08:00 | 1 | late usage | 1073741824 | 0.0600000000 | USD |
-- | acme | 2026-10 | https_requests | all | 2026-10-05 08:00 | 1 | late usage | 40 | 0.0000320000 | USD |
