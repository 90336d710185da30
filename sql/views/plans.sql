-- The prepaid plans bought, and how much of each is used.
-- One row per plan.
-- Reads lake_plans.
CREATE VIEW plans AS
SELECT
    plan_id,
    account_id,
    kind,
    region,
    quantity,
    used,
    starts_at,
    ends_at,
    bought_at
FROM lake_plans
