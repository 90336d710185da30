-- Answers: which accounts' new charges may not be posted, and why (FAULTS G23, G26, L6).
-- Grain: one row per wrong account, the first ten.
-- Reads: moved_balances, accounts.
SELECT
    m.account_id,
    CASE
        WHEN a.account_id IS NULL THEN 'the account is not known'
        WHEN a.currency <> m.currency THEN 'their currency is not that of the account'
        ELSE 'an amount is beyond 2^96'
    END AS problem
FROM moved_balances AS m
LEFT JOIN accounts AS a ON m.account_id = a.account_id
WHERE
    a.account_id IS NULL
    OR a.currency <> m.currency
    OR m.greatest >= 79228162514264337593543950336
LIMIT 10;
