-- How well are the prepaid plans used?
-- Grain: one row per plan.
-- Reads: plan_usage.
-- Chart: bar, plan_id, used_permille
-- Read by: people (edgetoll query).
SELECT
    plan_id,
    account_id,
    kind,
    region,
    ends_at,
    bought,
    used,
    left_over,
    wasted,
    used_permille
FROM plan_usage
ORDER BY used_permille, plan_id

-- Sample:
-- edgetoll query plan_utilisation
-- | plan_id | account_id | kind | region | ends_at | bought | used | left_over | wasted | used_permille |
-- | --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
-- | beta-old | beta | data_transfer | EU | 2026-11-01 00:00 | 8589934592 | 4294967295 | 0 | 4294967297 | 499 |
-- | acme-eu | acme | data_transfer | EU | 2027-10-01 00:00 | 2147483648 | 2147483648 | 0 | 0 | 1000 |
