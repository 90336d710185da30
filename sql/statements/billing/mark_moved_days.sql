-- Answers: the days of usage whose owners a journal record changed, for the lake to write again.
-- Grain: one row per day.
-- Reads: moved_usage.
INSERT INTO moved_days
SELECT DISTINCT CAST(hour AS DATE) AS day, CAST($journal_no AS BIGINT) AS journal_no
FROM moved_usage;
