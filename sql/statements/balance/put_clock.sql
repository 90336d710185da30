-- Answers: stores the clock that grace is measured by.
-- Grain: one row.
-- Reads: nothing.
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
