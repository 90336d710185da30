-- The shape of lake table plans where billing has published none yet.
-- One row per row of sql/lake/plans.sql.
-- Reads nothing.
CREATE TABLE lake_plans (
    plan_id VARCHAR,
    account_id VARCHAR,
    kind VARCHAR,
    region VARCHAR,
    quantity BIGINT,
    used BIGINT,
    starts_at TIMESTAMP,
    ends_at TIMESTAMP,
    bought_at TIMESTAMP
)
