-- How well are the prepaid plans used?
-- Grain: one row per plan.
-- Reads: plan_usage.
-- Read by: people (edgetoll query).
-- Chart: bar, plan_id, used_permille
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
