-- The shape of lake table price_labels where billing has published none yet.
-- Grain: one row per row of sql/lake/price_labels.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_price_labels (
    book VARCHAR,
    label VARCHAR,
    region VARCHAR
)
