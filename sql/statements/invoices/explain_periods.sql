-- Answers: the stretches of time behind one invoice line; with $only, what lies in that hour.
-- Grain: one row per period.
-- Reads: explained_charges.
CREATE OR REPLACE TEMP TABLE explained_periods AS
SELECT DISTINCT
    CASE WHEN $only IS NULL THEN period_start ELSE greatest(period_start, $only::TIMESTAMP) END AS period_start,
    CASE
        WHEN $only IS NULL THEN period_end
        ELSE least(period_end, $only::TIMESTAMP + INTERVAL 1 HOUR)
    END AS period_end
FROM explained_charges
WHERE $only IS NULL OR (period_start < $only::TIMESTAMP + INTERVAL 1 HOUR AND period_end > $only::TIMESTAMP);
