-- Answers: what every account has, what its open hours will take, and how fast it burns.
-- Grain: one row per account.
-- Reads: accounts, balances, burn, burn_day, open_value, imported_files (nobody burned before the first hour).
INSERT INTO account_figures
SELECT
    a.account_id,
    a.currency,
    a.credit_limit + COALESCE(b.cash + b.vouchers - b.charged, 0) AS available,
    COALESCE(o.amount, 0) AS open_amount,
    a.credit_limit + COALESCE(b.cash + b.vouchers - b.charged, 0) - COALESCE(o.amount, 0),
    COALESCE(u.payable_hour, 0),
    COALESCE(u.payable_7_hours, 0),
    COALESCE(u.payable_24_hours, 0),
    COALESCE(u.payable_168_hours, 0),
    COALESCE(d.payable_day, 0),
    LEAST(168, GREATEST(1, date_diff('hour', GREATEST(a.opened_at, begun.first_hour), $through))) AS hours_known
FROM accounts AS a
CROSS JOIN (SELECT COALESCE(MIN(hour), TIMESTAMP '1970-01-01') AS first_hour FROM imported_files) AS begun
LEFT JOIN balances AS b ON b.account_id = a.account_id AND b.currency = a.currency
LEFT JOIN burn AS u ON u.account_id = a.account_id
LEFT JOIN burn_day AS d ON d.account_id = a.account_id
LEFT JOIN open_value AS o ON o.account_id = a.account_id
WHERE $accounts::VARCHAR[] IS NULL OR a.account_id IN (SELECT unnest($accounts::VARCHAR[]));
