-- Answers: what is left of every plan; leftover after its end is lost (DOMAIN §2.1).
-- Grain: plan.
-- Reads: plans, plan_state.
SELECT
    p.plan_id, p.account_id, p.kind, p.region, p.starts_at, p.ends_at, p.quantity,
    coalesce(s.used, 0) AS used, p.quantity - coalesce(s.used, 0) AS remaining
FROM plans AS p
LEFT JOIN plan_state AS s ON s.plan_id = p.plan_id;
