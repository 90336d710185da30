-- The whole number of 10^-10 currency units that an amount is; a float is taken to its tenth decimal.
-- Grain: one value per call.
-- Reads: its parameter.
-- Read by: sql/macros/card_units.sql, sql/macros/card_curve.sql, sql/macros/tiered_price.sql, sql/views/focus.sql.
CREATE MACRO units_of_money(amount) AS
    CAST(CAST(coalesce(amount, 0) AS DECIMAL(38, 10)) * 10000000000 AS HUGEINT)
