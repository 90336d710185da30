-- Answers: gives every account that moves for the first time a balance of zero.
-- Grain: one row per account and currency.
-- Reads: moved_balances, balances.
INSERT INTO balances
SELECT
    m.account_id,
    m.currency,
    0,
    0,
    0
FROM moved_balances AS m
ANTI JOIN balances AS b ON m.account_id = b.account_id AND m.currency = b.currency;
