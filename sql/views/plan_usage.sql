-- How well each prepaid plan is used: bought, used, left, and wasted once it has ended.
-- Grain: one row per plan. Quantities are bytes (data_transfer) or requests.
-- Owner: billing/rating.
-- Reads: plans.
-- Read by: people (edgetoll sql), sql/queries/plan_utilisation.sql, sql/queries/plan_waste.sql.
CREATE VIEW plan_usage AS
SELECT
    plan_id,
    account_id,
    kind,
    region,
    starts_at,
    ends_at,
    quantity AS bought,
    used,
    CASE WHEN ends_at > CAST(now() AS TIMESTAMP) THEN quantity - used ELSE 0 END AS left_over,
    CASE WHEN ends_at <= CAST(now() AS TIMESTAMP) THEN quantity - used ELSE 0 END AS wasted,
    CAST(1000 * CAST(used AS HUGEINT) // quantity AS INTEGER) AS used_permille,
    ends_at <= CAST(now() AS TIMESTAMP) AS has_ended
FROM plans
