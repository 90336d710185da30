-- Answers: what each account had to pay for the last 1, 7, 24 and 168 rated hours.
-- Grain: one row per account with a charge in them; an hour without charges counts as zero.
-- Reads: charges of periods up to a day, which has 25 hours once a year (a monthly item says nothing about an hour).
INSERT INTO burn
SELECT
    account_id,
    COALESCE(SUM(amount) FILTER (period_end > $through - INTERVAL 1 HOUR AND is_hourly), 0),
    COALESCE(SUM(amount) FILTER (period_end > $through - INTERVAL 7 HOUR AND is_hourly), 0),
    COALESCE(SUM(amount) FILTER (period_end > $through - INTERVAL 24 HOUR), 0),
    SUM(amount)
FROM (
    SELECT
        account_id,
        amount,
        period_end,
        period_end - period_start <= INTERVAL 1 HOUR AS is_hourly
    FROM charges
    WHERE
        period_end > $through - INTERVAL 168 HOUR
        AND period_end <= $through
        AND period_end - period_start <= INTERVAL 25 HOUR
        AND ($accounts::VARCHAR[] IS NULL OR account_id IN (SELECT unnest($accounts::VARCHAR[])))
)
GROUP BY account_id;
