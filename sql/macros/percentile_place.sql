-- Which of the samples, the largest first, is a percentile (DOMAIN §1.8): of all slots, empty ones too, the largest
-- (100 - percent) in a hundred are dropped, rounded down, and the next one counts.
-- Grain: one value, from 1.
-- Reads: nothing.
-- Read by: sql/macros/percentile_of.sql, sql/macros/percentiles_between.sql.
CREATE MACRO percentile_place(slots, percent) AS
    slots * (100 - percent) // 100 + 1
