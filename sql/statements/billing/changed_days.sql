-- Answers: which days of usage the lake must write since a journal record, and whether as a whole.
-- Grain: one row per day; moved: rows already published changed their owner.
-- Reads: usage, moved_days.
SELECT day, bool_or(moved) AS moved
FROM (
    SELECT DISTINCT CAST(hour AS DATE) AS day, false AS moved FROM usage WHERE import_no > $after
    UNION ALL
    SELECT day, true AS moved FROM moved_days WHERE journal_no > $after
)
GROUP BY day
ORDER BY day;
