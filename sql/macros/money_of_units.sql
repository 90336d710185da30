-- The exact amount that a whole number of 10^-10 currency units is.
-- Grain: one value per call.
-- Reads: its parameter.
-- Read by: sql/macros/card_price.sql, sql/macros/tiered_price.sql, sql/macros/what_if.sql, sql/views/focus.sql.
CREATE MACRO money_of_units(units) AS
    CAST(CAST(units AS DECIMAL(38, 0)) * CAST(0.0000000001 AS DECIMAL(10, 10)) AS DECIMAL(38, 10))
