-- Do customers stay and grow? Revenue by the month an account was first charged, and the months since.
-- Grain: one row per first month × months since × currency.
-- Reads: charges_daily.
-- Chart: heat, months_since, amount, cohort
-- Read by: people (edgetoll query).
WITH monthly AS (
    SELECT account_id, currency, month, sum(amount) AS amount
    FROM charges_daily
    GROUP BY account_id, currency, month
),

begun AS (
    SELECT *, min(month) OVER (PARTITION BY account_id) AS cohort
    FROM monthly
)

SELECT
    cohort,
    lpad(CAST(date_diff('month', CAST(cohort || '-01' AS DATE), CAST(month || '-01' AS DATE)) AS VARCHAR), 2, '0')
        AS months_since,
    count(DISTINCT account_id) AS accounts,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    currency
FROM begun
GROUP BY cohort, months_since, currency
ORDER BY cohort, months_since, currency

-- Sample:
-- edgetoll query cohorts
-- | cohort | months_since | accounts | amount | currency |
-- | --- | --- | ---: | ---: | --- |
-- | 2026-10 | 00 | 2 | 1.1394450454 | USD |
-- | 2026-10 | 01 | 2 | 1.3812654969 | USD |
