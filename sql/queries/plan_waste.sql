-- What was bought in plans and never used?
-- Grain: one row per account × kind of plan that ended unused in part.
-- Reads: plan_usage.
-- Chart: bar, account_id, wasted_permille, kind
-- Read by: people (edgetoll query).
SELECT
    account_id,
    kind,
    count(*) AS plans,
    CAST(sum(bought) AS HUGEINT) AS bought,
    CAST(sum(wasted) AS HUGEINT) AS wasted,
    CAST(1000 * sum(wasted) // sum(bought) AS BIGINT) AS wasted_permille
FROM plan_usage
WHERE has_ended AND wasted > 0
GROUP BY account_id, kind
ORDER BY wasted DESC, account_id, kind

-- Sample:
-- edgetoll query plan_waste
-- | account_id | kind | plans | bought | wasted | wasted_permille |
-- | --- | --- | ---: | ---: | ---: | ---: |
-- | beta | data_transfer | 1 | 8589934592 | 4294967297 | 500 |
