-- By how much the clocks of each account's time zone differ from UTC, and when: the pinned tzdata's rules.
-- Grain: one row per time zone × stretch of one offset; half open, UTC.
-- Reads: given_zone_offsets (registered by billing/lake/publish.py from billing/zones.py).
-- Read by: sql/views/usage_daily_parts.sql, sql/views/zone_offsets.sql.
SELECT
    zone,
    from_utc,
    until_utc,
    offset_seconds,
    rules
FROM given_zone_offsets
ORDER BY zone, from_utc;
