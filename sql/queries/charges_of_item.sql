-- What does the charge of one item consist of: which hours or days, at which quantities?
-- Grain: one row per charge.
-- Reads: charges.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter account (text): the account, by its id
-- Parameter item (text, https_requests): the item
-- Read by: people (edgetoll query).
SELECT
    period_start,
    period_end,
    region,
    quantity,
    free_quantity,
    plan_quantity,
    billable_quantity,
    amount,
    currency,
    revision,
    reason,
    rate_card,
    run_id
FROM charges
WHERE month = $month AND account_id = $account AND item = $item
ORDER BY period_start, region, revision, rate_card

-- Sample:
-- edgetoll query charges_of_item --param month=2026-11 --param account=acme
-- | period_start | period_end | region | quantity | free_quantity | plan_quantity | billable_quantity | amount | currency | revision | reason | rate_card | run_id |
-- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | --- | --- | --- |
-- | 2026-11-03 08:00 | 2026-11-03 09:00 | all | 124064 | 0 | 0 | 124064 | 0.0992512000 | USD | 0 | usage | https-1 | R00000014 |
-- | 2026-11-03 09:00 | 2026-11-03 10:00 | all | 124064 | 0 | 0 | 124064 | 0.0992512000 | USD | 0 | usage | https-1 | R00000014 |
-- | 2026-11-03 10:00 | 2026-11-03 11:00 | all | 3 | 0 | 0 | 3 | 0.0000024000 | USD | 0 | usage | https-1 | R00000014 |
