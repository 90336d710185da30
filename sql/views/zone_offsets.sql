-- By how much the clocks of each account's time zone differ from UTC, and when. rules: the tzdata it is from.
-- Grain: one row per time zone × stretch of one offset; half open, UTC.
-- Owner: billing.
-- Reads: lake_zone_offsets.
-- Read by: people (edgetoll sql), sql/macros/utc_of_local.sql.
CREATE VIEW zone_offsets AS
SELECT
    zone,
    from_utc,
    until_utc,
    offset_seconds,
    rules
FROM lake_zone_offsets
