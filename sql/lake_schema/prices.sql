-- The shape of lake table prices where billing has published none yet.
-- Grain: one row per row of sql/lake/prices.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_prices (
    card_id VARCHAR,
    book VARCHAR,
    account_id VARCHAR,
    item VARCHAR,
    region VARCHAR,
    model VARCHAR,
    currency VARCHAR,
    unit VARCHAR,
    per BIGINT,
    unit_quantity BIGINT,
    period VARCHAR,
    effective_from TIMESTAMP,
    effective_until TIMESTAMP,
    free_quantity BIGINT,
    discount_millionths INTEGER,
    flat_fee DECIMAL(38, 10),
    minimum DECIMAL(38, 10),
    maximum DECIMAL(38, 10),
    tier_no INTEGER,
    tier_from BIGINT,
    tier_to BIGINT,
    unit_price DECIMAL(38, 10),
    tier_flat_fee DECIMAL(38, 10),
    at_zero BOOLEAN,
    in_force_from TIMESTAMP,
    in_force_until TIMESTAMP
)
