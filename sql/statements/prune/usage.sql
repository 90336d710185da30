-- Pruning usage of months long past: what would go, who still needs it, and taking it out.
-- Run by billing/prune/usage.py. Reads: imported_files, usage, pruned_usage, rating_held, replay_marks, month_state, issued_months.

-- name: totals
-- One row: the closed files whose usage goes where hours before $before do, and what is in them.
SELECT
    count(*) AS files,
    CAST(coalesce(sum(rows), 0) AS BIGINT) AS rows,
    CAST(coalesce(sum(requests), 0) AS BIGINT) AS requests
FROM imported_files
WHERE
    hour < $before
    AND hour >= coalesce((SELECT max(hours_before) FROM pruned_usage), TIMESTAMP '1970-01-01');

-- name: needed
-- At most one row: who still needs usage of before $before, the last day of the month before $month.
SELECT why
FROM (
    SELECT 'usage of ' || strftime(min(hour), '%Y-%m-%dT%HZ') || ' waits: edgetoll billing accept' AS why
    FROM imported_files
    WHERE too_old AND hour < $before
    HAVING count(*) > 0
    UNION ALL
    SELECT min(account_id) || ' has hours without a price: edgetoll billing rate' AS why
    FROM rating_held
    WHERE hour < $before
    HAVING count(*) > 0
    UNION ALL
    SELECT min(account_id) || ' is to be rated again: edgetoll billing rate' AS why
    FROM replay_marks
    WHERE from_bucket < $before + INTERVAL 36 HOUR
    HAVING count(*) > 0
    UNION ALL
    SELECT min(month || ' of ' || account_id) || ' is on no invoice: edgetoll billing invoice' AS why
    FROM (
        SELECT m.account_id, m.month
        FROM month_state AS m
        ANTI JOIN issued_months AS i ON m.account_id = i.account_id AND m.month = i.month
        WHERE m.month < $month
        GROUP BY m.account_id, m.month
        HAVING sum(m.amount) <> 0
    )
    HAVING count(*) > 0
    UNION ALL
    SELECT 'its hours are not all rated: edgetoll billing rate' AS why
    FROM usage
    WHERE hour < $before AND import_no > (SELECT coalesce(max(import_no), 0) FROM rating_marks)
    HAVING count(*) > 0
)
ORDER BY why
LIMIT 1;

-- name: take_out
-- The usage goes.
DELETE FROM usage WHERE hour < $before;

-- name: forget_moved_days
-- Its days are written no more.
DELETE FROM moved_days WHERE day < $before;

-- name: note
-- One row says so.
INSERT INTO pruned_usage VALUES ($before, $journal_no);

-- name: closed_files
-- One row per closed file of hours before $before that was imported.
SELECT hour, partition, revision
FROM imported_files
WHERE hour < $before
ORDER BY hour, partition, revision;
