-- Answers: which stretch of UTC each local day of the month is.
-- Grain: one row per time zone and local day.
-- Reads: nothing but $zones, $days, $starts, $ends.
CREATE OR REPLACE TEMP TABLE invoice_days AS
SELECT
    unnest($zones::VARCHAR[]) AS timezone,
    unnest($days::DATE[]) AS day,
    unnest($starts::TIMESTAMP[]) AS day_start,
    unnest($ends::TIMESTAMP[]) AS day_end;
