-- Which rating runs were there, what did they post, and which are held?
-- Grain: one row per run, the newest first.
-- Reads: runs.
-- Parameter top (number, 200): how many rows at most
-- Read by: people (edgetoll query).
SELECT
    run_id,
    kind,
    ran_at,
    state,
    through_hour,
    hours,
    charges,
    totals,
    reason,
    journal_no
FROM runs
ORDER BY ran_at DESC, run_id DESC
LIMIT $top

-- Sample:
-- edgetoll query newest_runs
-- | run_id | kind | ran_at | state | through_hour | hours | charges | totals | reason | journal_no |
-- | --- | --- | --- | --- | --- | ---: | ---: | --- | --- | ---: |
-- | R00000014 | rating_run | 2026-11-03 12:00 | done | 2026-11-03 11:00 | 4 | 12 | {"USD/hour": {"amount": "14412974969", "charges": 12, "gross": "14412974969", "periods": 4}} |  | 14 |
-- | R00000008 | rating_run | 2026-11-01 00:00 | done | 2026-11-01 00:00 | 0 | 0 | {} |  | 8 |
-- | R00000004 | rating_run | 2026-10-05 12:00 | done | 2026-10-05 11:00 | 3 | 12 | {"USD/hour": {"amount": "10794130454", "charges": 12, "gross": "10794130454", "periods": 3}} |  | 4 |
