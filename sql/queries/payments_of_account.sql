-- What did an account pay, and what went back?
-- Grain: one row per payment, voucher, refund, chargeback or write-off, the newest first.
-- Reads: payments.
-- Parameter account (text): the account, by its id
-- Read by: people (edgetoll query).
SELECT
    payment_id,
    paid_at,
    kind,
    amount,
    currency,
    reference
FROM payments
WHERE account_id = $account
ORDER BY paid_at DESC, payment_id

-- Sample:
-- edgetoll query payments_of_account --param account=acme
-- | payment_id | paid_at | kind | amount | currency | reference |
-- | --- | --- | --- | ---: | --- | --- |
-- | wire-1 | 2026-10-05 08:00 | cash | 0.5000000000 | USD |  |
