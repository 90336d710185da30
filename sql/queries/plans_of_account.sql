-- Which prepaid plans has an account, and what is left of them?
-- Grain: one row per plan, those that still pay first.
-- Reads: plan_usage.
-- Parameter account (text): the account, by its id
-- Chart: bar, plan_id, used_permille
-- Read by: people (edgetoll query).
SELECT
    plan_id,
    kind,
    region,
    starts_at,
    ends_at,
    bought,
    used,
    left_over,
    wasted,
    used_permille,
    has_ended
FROM plan_usage
WHERE account_id = $account
ORDER BY has_ended, ends_at, plan_id

-- Sample:
-- edgetoll query plans_of_account --param account=acme
-- | plan_id | kind | region | starts_at | ends_at | bought | used | left_over | wasted | used_permille | has_ended |
-- | --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
-- | acme-eu | data_transfer | EU | 2026-10-01 00:00 | 2027-10-01 00:00 | 2147483648 | 2147483648 | 0 | 0 | 1000 | false |
