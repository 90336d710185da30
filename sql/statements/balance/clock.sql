-- Answers: the clock that grace is measured by, as last recorded.
-- Grain: one row, or none before the first judgement.
-- Reads: balance_clock.
SELECT
    judged_at, verified_seconds, verified_until, unverified, unverified_since, usage_through, payments_through
FROM balance_clock;
