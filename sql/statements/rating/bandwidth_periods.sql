-- Answers: the days (peak) and effective parts of months (95th percentile) that can now be billed.
-- rank: which sample, from the largest, is billed: the first of a day; for the 95th percentile the one
-- after the floor(5 %) that are dropped, zeros counted (DOMAIN §1.8, §10.10). weight: the part of the
-- month that is effective, in PERCENTILE_FACTOR-ths ($factor).
-- Grain: account × day or month. Temporary.
-- Reads: rating_accounts, rating_method_periods, rating_days, rating_months.
CREATE OR REPLACE TEMP TABLE rating_bandwidth_periods AS
WITH methods AS (
    SELECT account_key, item_no, starts_at, ends_at FROM rating_method_periods
    UNION ALL
    SELECT a.account_key, a.basic_item_no, TIMESTAMP '1970-01-01', TIMESTAMP '9999-01-01'
    FROM rating_accounts AS a
    ANTI JOIN rating_method_periods AS p ON p.account_key = a.account_key
    WHERE a.basic_item_no IN (5, 6)
), spans AS (
    SELECT a.account_key, a.account_id, a.book, a.timezone, m.item_no, a.replay_from,
        m.starts_at, m.ends_at, a.opened_at
    FROM methods AS m JOIN rating_accounts AS a ON a.account_key = m.account_key
    WHERE m.item_no IN (5, 6) AND a.has_book AND a.currency_fits
), effective AS (
    SELECT
        s.account_key, s.account_id, s.book, s.item_no, s.replay_from, d.number AS month, d.day,
        d.starts_at, d.ends_at
    FROM spans AS s
    JOIN rating_days AS d
        ON d.timezone = s.timezone AND d.starts_at >= s.starts_at AND d.starts_at < s.ends_at
        AND d.ends_at > s.opened_at
), periods AS (
    SELECT account_key, account_id, book, item_no, replay_from, month, starts_at, ends_at,
        1::BIGINT AS rank, 1::HUGEINT AS weight
    FROM effective
    WHERE item_no = 5
    UNION ALL
    SELECT
        e.account_key, e.account_id, e.book, e.item_no, e.replay_from, e.month, min(e.starts_at),
        max(e.ends_at),
        epoch(max(e.ends_at) - min(e.starts_at))::BIGINT // 300 * 5 // 100 + 1,
        count(*)::HUGEINT * ($factor // any_value(m.days))
    FROM effective AS e
    JOIN rating_accounts AS a ON a.account_key = e.account_key
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = e.month
    WHERE e.item_no = 6
    GROUP BY ALL
    HAVING max(e.ends_at) = any_value(m.ends_at)
)
SELECT account_key, account_id, book, item_no, month, starts_at, ends_at, rank, weight
FROM periods
WHERE ends_at <= $through
    AND CASE WHEN replay_from IS NULL THEN ends_at > $last_through ELSE starts_at >= replay_from END;
