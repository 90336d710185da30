-- The shape of lake table zone_offsets where billing has published none yet.
-- Grain: one row per row of sql/lake/zone_offsets.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_zone_offsets (
    zone VARCHAR,
    from_utc TIMESTAMP,
    until_utc TIMESTAMP,
    offset_seconds INTEGER,
    rules VARCHAR
)
