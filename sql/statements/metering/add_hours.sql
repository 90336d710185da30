-- Answers: notes hours as closed, with what their certificates say.
-- Grain: one row per hour, its newest revision.
-- Reads: closed_now (Arrow), hours (the revision before: its counts are added to).
INSERT INTO hours
SELECT
    $partition, c.hour_ms, c.revision, c.state, c.closed_ms,
    coalesce(before.empty_since_ms, c.empty_since_ms),
    c.requests + coalesce(before.requests, 0),
    c.late + coalesce(before.late, 0),
    c.missing
FROM closed_now AS c
LEFT JOIN hours_before AS before ON before.hour_ms = c.hour_ms
