-- Answers: what accounts had to pay for each of the last rated hours, for the small burn plot.
-- Grain: one row per account and hour with a charge.
-- Reads: charges.
SELECT
    account_id,
    date_diff('hour', $begin, date_trunc('hour', period_start)) AS hour_no,
    SUM(amount) AS amount
FROM charges
WHERE
    period_start >= $begin
    AND period_start < $through
    AND period_end - period_start <= INTERVAL 1 HOUR
    AND list_contains($accounts, account_id)
GROUP BY ALL
ORDER BY ALL;
