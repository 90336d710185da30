-- What moved on an account in a month, from one balance to the next?
-- Grain: one row per account × day × kind of movement, payments and documents one by one; first its opening balance, last its closing one.
-- Reads: transfers, accounts, zone_offsets.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter account (text): the account, by its id; all: of all of them, for a file: at 10,000 accounts a month is a million rows
-- Read by: people (edgetoll query).
WITH placed AS (
    -- What is charged for a period belongs to it: the hour that ends at midnight is the day's before.
    SELECT *, CASE WHEN code IN ('charge', 'correction') THEN effective_at - INTERVAL 1 MICROSECOND ELSE effective_at END AS moved_at
    FROM transfers
),

moved AS (
    SELECT
        t.account_id,
        a.currency,
        CAST(t.moved_at + to_seconds(o.offset_seconds) AS DATE) AS day,
        t.moved_at,
        t.journal_no,
        CASE
            WHEN t.code IN ('credit_note', 'promotional_credit') THEN t.code
            WHEN t.debit_account LIKE 'revenue:%' THEN 'charge ' || split_part(t.debit_account, ':', 2)
            WHEN t.credit_account LIKE 'revenue:%' THEN 'charge ' || split_part(t.credit_account, ':', 2)
            ELSE t.code
        END AS what,
        CASE
            WHEN t.code = 'promotional_credit' THEN 'credit:' || regexp_extract(t.transfer_id, ':credit/([^:]+):r', 1)
            WHEN t.code IN ('charge', 'correction') THEN ''
            ELSE t.transfer_id
        END AS reference,
        CASE WHEN t.credit_account LIKE 'customer:%' THEN t.amount ELSE 0 END
        - CASE WHEN t.debit_account LIKE 'customer:%' THEN t.amount ELSE 0 END AS amount
    FROM placed AS t
    INNER JOIN accounts AS a ON t.account_id = a.account_id AND t.currency = a.currency
    INNER JOIN zone_offsets AS o
        ON a.timezone = o.zone AND t.moved_at >= o.from_utc AND t.moved_at < o.until_utc
    WHERE
        ($account = 'all' OR t.account_id = $account)
        AND day < CAST($month || '-01' AS DATE) + INTERVAL 1 MONTH
),

-- Of the days before the month, which all are its opening balance, nothing but the sum is kept.
daily AS MATERIALIZED (
    SELECT
        account_id,
        currency,
        CASE WHEN day >= CAST($month || '-01' AS DATE) THEN day END AS day_of_month,
        CASE WHEN day >= CAST($month || '-01' AS DATE) THEN what END AS what,
        CASE WHEN day >= CAST($month || '-01' AS DATE) THEN reference END AS reference,
        CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
        min(moved_at) AS first_at,
        min(journal_no) AS first_no
    FROM moved
    GROUP BY ALL
),

opening AS (
    SELECT
        a.account_id,
        a.currency,
        CAST($month || '-01' AS DATE) AS day,
        coalesce(d.amount, 0) AS amount
    FROM accounts AS a
    LEFT JOIN daily AS d ON a.account_id = d.account_id AND d.day_of_month IS NULL
    WHERE $account = 'all' OR a.account_id = $account
),

listed AS (
    SELECT account_id, currency, day, 0 AS place, 'opening balance' AS what, '' AS reference, amount,
        NULL::TIMESTAMP AS first_at, 0::BIGINT AS first_no
    FROM opening
    UNION ALL
    SELECT account_id, currency, day_of_month AS day, 1 AS place, what, reference, amount, first_at, first_no
    FROM daily
    WHERE day_of_month IS NOT NULL
    UNION ALL
    SELECT account_id, currency, last_day(day) AS day, 2 AS place, 'closing balance' AS what, '' AS reference,
        CAST(0 AS DECIMAL(38, 10)) AS amount, NULL::TIMESTAMP AS first_at, 0::BIGINT AS first_no
    FROM opening
)

SELECT
    account_id,
    day,
    what,
    reference,
    CASE WHEN place = 1 THEN amount END AS amount,
    CAST(sum(amount) OVER (
        PARTITION BY account_id ORDER BY place, day, first_at, first_no, what, reference
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS DECIMAL(38, 10)) AS balance,
    currency
FROM listed
ORDER BY account_id, place, day, first_at, first_no, what, reference

-- Sample:
-- edgetoll query statement_of_account --param month=2026-11 --param account=acme
-- | account_id | day | what | reference | amount | balance | currency |
-- | --- | --- | --- | --- | ---: | ---: | --- |
-- | acme | 2026-11-01 | opening balance |  |  | -0.6058402454 | USD |
-- | acme | 2026-11-02 | cut | cut:INV-USD-2026-000001 | 0.0058082454 | -0.6000320000 | USD |
-- | acme | 2026-11-02 | tax | tax:INV-USD-2026-000001 | -0.2000000000 | -0.8000320000 | USD |
-- | acme | 2026-11-03 | charge data_transfer |  | -0.9512876303 | -1.7513196303 | USD |
-- | acme | 2026-11-03 | charge https_requests |  | -0.1985048000 | -1.9498244303 | USD |
-- … 1 more
