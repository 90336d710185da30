-- Answers: what a run would post, per currency and kind of period, before it is posted (FAULTS F8, G8).
-- Grain: one row per currency and kind of period (hour, day, month).
-- Reads: run_charges.
WITH kinds AS (
    SELECT
        currency,
        amount,
        period_start,
        CASE
            WHEN period_end - period_start <= INTERVAL 1 HOUR THEN 'hour'
            WHEN period_end - period_start <= INTERVAL 26 HOUR THEN 'day'
            ELSE 'month'
        END AS period_kind
    FROM run_charges
)

SELECT
    currency,
    period_kind,
    CAST(sum(CAST(amount AS HUGEINT)) AS HUGEINT) AS amount,
    CAST(sum(abs(CAST(amount AS HUGEINT))) AS HUGEINT) AS gross,
    count(DISTINCT period_start) AS periods,
    count(*) AS charges
FROM kinds
GROUP BY currency, period_kind
ORDER BY currency, period_kind;
