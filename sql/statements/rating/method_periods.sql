-- Answers: how an account that ever changed its billing method bought traffic, and when: a change
-- takes effect at the next local 00:00, leaving the 95th percentile at the next month (DOMAIN §1.8).
-- Grain: account × period. Temporary.
-- Reads: account_methods, rating_accounts, rating_days, rating_months, price_items.
CREATE OR REPLACE TEMP TABLE rating_method_periods AS
WITH asked AS (
    SELECT
        a.account_key, a.timezone, i.item_no, m.effective_from,
        lag(i.item_no) OVER steps AS item_before
    FROM account_methods AS m
    JOIN rating_accounts AS a ON a.account_id = m.account_id
    JOIN price_items AS i ON i.item = m.method
    WINDOW steps AS (PARTITION BY a.account_key ORDER BY m.effective_from)
), begun AS (
    SELECT
        s.account_key, s.item_no, s.effective_from,
        CASE
            WHEN s.item_before IS NULL THEN TIMESTAMP '1970-01-01'
            WHEN s.item_before = 6 THEN (
                SELECT min(m.starts_at) FROM rating_months AS m
                WHERE m.timezone = s.timezone AND m.starts_at >= s.effective_from
            )
            ELSE (
                SELECT min(d.starts_at) FROM rating_days AS d
                WHERE d.timezone = s.timezone AND d.starts_at >= s.effective_from
            )
        END AS starts_at
    FROM asked AS s
)
SELECT
    account_key, item_no, coalesce(starts_at, TIMESTAMP '9999-01-01') AS starts_at,
    coalesce(
        lead(coalesce(starts_at, TIMESTAMP '9999-01-01')) OVER (PARTITION BY account_key ORDER BY starts_at NULLS LAST, effective_from),
        TIMESTAMP '9999-01-01'
    ) AS ends_at
FROM begun;
