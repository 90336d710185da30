-- Answers: where the month begins and ends in each time zone that accounts have.
-- Grain: one row per time zone; times are UTC.
-- Reads: nothing but $zones, $starts, $ends (computed from the time zone data of Python, as rating does).
CREATE OR REPLACE TEMP TABLE invoice_zones AS
SELECT
    unnest($zones::VARCHAR[]) AS timezone,
    unnest($starts::TIMESTAMP[]) AS period_start,
    unnest($ends::TIMESTAMP[]) AS period_end,
    false AS is_ready;
