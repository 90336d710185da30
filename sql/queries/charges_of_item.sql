-- What does the charge of one item consist of: which hours or days, at which quantities?
-- Grain: one row per charge; hour: the hour it is for, null where it is for days, of the account's time zone.
-- Reads: charges, accounts, zone_offsets.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter account (text): the account, by its id
-- Parameter item (text, https_requests): the item
-- Read by: people (edgetoll query).
SELECT
    c.period_start,
    c.period_end,
    c.region,
    c.quantity,
    c.free_quantity,
    c.plan_quantity,
    c.billable_quantity,
    c.amount,
    c.currency,
    c.revision,
    c.reason,
    c.rate_card,
    c.run_id,
    CASE WHEN c.period_end <= c.period_start + INTERVAL 1 HOUR THEN c.period_start END AS hour,
    CAST(c.period_start + to_seconds(o.offset_seconds) AS DATE) AS first_day,
    CAST(c.period_end + to_seconds(o.offset_seconds) - INTERVAL 1 SECOND AS DATE) AS last_day
FROM charges AS c
INNER JOIN accounts AS a ON c.account_id = a.account_id
LEFT JOIN zone_offsets AS o
    ON a.timezone = o.zone AND c.period_start >= o.from_utc AND c.period_start < o.until_utc
WHERE c.month = $month AND c.account_id = $account AND c.item = $item
ORDER BY c.period_start, c.region, c.revision, c.rate_card

-- Sample:
-- edgetoll query charges_of_item --param month=2026-11 --param account=acme
-- | period_start | period_end | region | quantity | free_quantity | plan_quantity | billable_quantity | amount | currency | revision | reason | rate_card | run_id | hour | first_day | last_day |
-- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | --- | --- | --- | --- | --- | --- |
-- | 2026-11-03 08:00 | 2026-11-03 09:00 | all | 124064 | 0 | 0 | 124064 | 0.0992512000 | USD | 0 | usage | https-1 | R00000014 | 2026-11-03 08:00 | 2026-11-03 | 2026-11-03 |
-- | 2026-11-03 09:00 | 2026-11-03 10:00 | all | 124064 | 0 | 0 | 124064 | 0.0992512000 | USD | 0 | usage | https-1 | R00000014 | 2026-11-03 09:00 | 2026-11-03 | 2026-11-03 |
-- | 2026-11-03 10:00 | 2026-11-03 11:00 | all | 3 | 0 | 0 | 3 | 0.0000024000 | USD | 0 | usage | https-1 | R00000014 | 2026-11-03 10:00 | 2026-11-03 | 2026-11-03 |
