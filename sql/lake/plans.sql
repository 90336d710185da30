-- The prepaid plans bought.
-- Grain: one row per plan.
-- Reads: plans, plan_state.
-- Read by: sql/views/plans.sql.
SELECT
    p.plan_id,
    p.account_id,
    p.kind,
    p.region,
    p.quantity,
    CAST(coalesce(s.used, 0) AS BIGINT) AS used,
    p.starts_at,
    p.ends_at,
    p.bought_at
FROM plans AS p
LEFT JOIN plan_state AS s ON p.plan_id = s.plan_id
ORDER BY p.plan_id;
