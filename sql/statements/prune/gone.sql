-- What is gone since a record was written, because a later one pruned it. Run by billing/store/gone.py.
-- Reads: merged_away, usage_goes, pruned_usage, rating_replays, replay_marks, month_state.

-- name: merge_away
-- One row: a file of charges that is gone, and the file that a later record merged it into.
INSERT INTO merged_away VALUES ($file, $merged_file, $sha256);

-- name: usage_goes
-- One row: a record still to be applied takes the usage of earlier hours away.
INSERT INTO usage_goes VALUES (CAST($hours_before AS TIMESTAMP));

-- name: usage_will_go
-- One row: before which hour usage goes by records still to be applied; NULL: none does.
SELECT max(hours_before) AS hours_before
FROM usage_goes;

-- name: usage_before
-- One row: before which hour usage is gone; NULL: all is there.
SELECT max(hours_before) AS hours_before
FROM pruned_usage;

-- name: replayed_past
-- One row per account that was charged in months whose usage is gone and would be replayed from there. The kept months begin
-- a day after the hour, in whatever time zone.
SELECT
    r.account_id,
    r.from_bucket,
    r.reason,
    p.hours_before
FROM rating_replays AS r
INNER JOIN (SELECT max(hours_before) AS hours_before FROM pruned_usage) AS p
    ON r.from_bucket < p.hours_before + INTERVAL 36 HOUR
SEMI JOIN month_state AS m
    ON r.account_id = m.account_id AND m.month <= strftime(p.hours_before, '%Y-%m')
ORDER BY r.account_id;

-- name: marked_past
-- The same per account that one journal record marks.
SELECT
    r.account_id,
    r.from_bucket,
    r.reason,
    p.hours_before
FROM replay_marks AS r
INNER JOIN (SELECT max(hours_before) AS hours_before FROM pruned_usage) AS p
    ON r.from_bucket < p.hours_before + INTERVAL 36 HOUR
SEMI JOIN month_state AS m
    ON r.account_id = m.account_id AND m.month <= strftime(p.hours_before, '%Y-%m')
WHERE r.journal_no = $journal_no
ORDER BY r.account_id;
