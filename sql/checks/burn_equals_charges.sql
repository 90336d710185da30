-- What forecasts and low balance go by is what was charged in the last 1, 7, 24 and 168 rated hours.
-- Grain: one row per account whose sums differ from its charges.
-- Reads: account_burn, month_accounts, filed_charges, runs.
-- Read by: billing/checks/invariants.py.
WITH rated AS (
    SELECT max(through_hour) AS through
    FROM runs
    WHERE state IN ('done', 'released')
),

charged AS (
    SELECT
        c.account_id,
        CAST(coalesce(
            sum(c.amount) FILTER (
                c.period_end > r.through - INTERVAL 1 HOUR AND c.period_end - c.period_start <= INTERVAL 1 HOUR
            ), 0
        ) AS HUGEINT) AS payable_hour,
        CAST(coalesce(
            sum(c.amount) FILTER (
                c.period_end > r.through - INTERVAL 7 HOUR AND c.period_end - c.period_start <= INTERVAL 1 HOUR
            ), 0
        ) AS HUGEINT) AS payable_7_hours,
        CAST(coalesce(
            sum(c.amount) FILTER (c.period_end > r.through - INTERVAL 24 HOUR), 0
        ) AS HUGEINT) AS payable_24_hours,
        CAST(sum(c.amount) AS HUGEINT) AS payable_168_hours
    FROM filed_charges AS c
    INNER JOIN rated AS r ON c.period_end > r.through - INTERVAL 168 HOUR AND c.period_end <= r.through
    WHERE c.period_end - c.period_start <= INTERVAL 25 HOUR AND c.item NOT IN ('plan', 'commitment')
    GROUP BY c.account_id
)

SELECT
    coalesce(b.account_id, c.account_id) AS account_id,
    b.payable_168_hours AS kept,
    c.payable_168_hours AS charged
FROM (SELECT a.account_id, k.* FROM account_burn AS k LEFT JOIN month_accounts AS a ON k.account_no = a.account_no) AS b
FULL JOIN charged AS c ON b.account_id = c.account_id
WHERE
    coalesce(b.payable_hour, 0) <> coalesce(c.payable_hour, 0)
    OR coalesce(b.payable_7_hours, 0) <> coalesce(c.payable_7_hours, 0)
    OR coalesce(b.payable_24_hours, 0) <> coalesce(c.payable_24_hours, 0)
    OR coalesce(b.payable_168_hours, 0) <> coalesce(c.payable_168_hours, 0);
