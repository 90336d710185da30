-- The prepaid plans bought, and how much of each is used.
-- Grain: one row per plan.
-- Owner: billing/accounts.
-- Reads: lake_plans.
-- Read by: people (edgetoll sql), sql/views/focus.sql.
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
    bought_at,
    price,
    lasts,
    renews
FROM lake_plans
