-- The shape of lake table price_labels where billing has published none yet.
-- One row per row of sql/lake/price_labels.sql.
-- Reads nothing.
CREATE TABLE lake_price_labels (
    book VARCHAR,
    label VARCHAR,
    region VARCHAR
)
