-- Answers: the clock that grace is measured by, and what decides whether it runs (held runs, how far usage is rated).
-- Grain: one row in all; a record that moves the clock replaces the row.
-- Reads: balance_clock, runs.

-- name: clock
-- One row, or none before the first judgement.
SELECT
    judged_at, verified_seconds, verified_until, unverified, unverified_since, usage_through, payments_through
FROM balance_clock;

-- name: health
-- One row: through which hour usage was rated, and which runs are held.
SELECT
    MAX(through_hour) FILTER (state IN ('done', 'released')) AS usage_through,
    LIST(run_id ORDER BY run_id) FILTER (state = 'held') AS held_runs
FROM runs
WHERE kind = 'rating_run';

-- name: clear
-- The row that the same transaction replaces goes.
DELETE FROM balance_clock;

-- name: put
-- One row.
INSERT INTO balance_clock
SELECT
    $judged_at::TIMESTAMP,
    $verified_seconds::BIGINT,
    $verified_until::TIMESTAMP,
    $unverified,
    $unverified_since::TIMESTAMP,
    $usage_through::TIMESTAMP,
    $payments_through::TIMESTAMP,
    $journal_no::BIGINT;
