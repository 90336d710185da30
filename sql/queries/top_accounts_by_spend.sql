-- Who spends most, and how much of it on HTTPS requests?
-- Grain: one row per account × month × currency.
-- Reads: charges.
-- Read by: people (edgetoll query), examples/stage.py.
-- Chart: bar, account_id, amount, month
SELECT
    month,
    account_id,
    currency,
    sum(amount) AS amount,
    coalesce(sum(amount) FILTER (WHERE item = 'https_requests'), 0) AS https_amount
FROM charges
GROUP BY month, account_id, currency
ORDER BY month DESC, amount DESC
LIMIT 50
