-- Answers: moves the kept balances on by one record's transfers.
-- Grain: one row per account and currency that moves.
-- Reads: moved_balances.
UPDATE balances SET
    cash = balances.cash + m.cash,
    vouchers = balances.vouchers + m.vouchers,
    charged = balances.charged + m.charged
FROM moved_balances AS m
WHERE balances.account_id = m.account_id AND balances.currency = m.currency;
