-- Answers: the stored plans with the ids of a load.
-- Grain: one row per stored plan.
-- Reads: plans, load_plans.
SELECT
    p.plan_id,
    p.account_id,
    p.kind,
    p.region,
    p.quantity,
    p.starts_at,
    p.ends_at,
    p.bought_at
FROM plans AS p
SEMI JOIN load_plans AS l ON p.plan_id = l.plan_id;
