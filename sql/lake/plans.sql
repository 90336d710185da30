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
    p.bought_at,
    CAST(CAST(p.price AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS price,
    p.lasts,
    coalesce(p.renews, false) AS renews
FROM plans AS p
LEFT JOIN plan_state AS s ON p.plan_id = s.plan_id
ORDER BY p.plan_id;
