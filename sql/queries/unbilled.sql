-- What is charged but not yet on an issued invoice.
-- One row per account × month × currency.
-- Reads charges, invoices.
SELECT
    c.account_id,
    c.month,
    c.currency,
    sum(c.amount) AS amount
FROM charges AS c
ANTI JOIN invoices AS i
    ON i.account_id = c.account_id
    AND i.month = c.month
    AND i.status IN ('issued', 'paid')
GROUP BY c.account_id, c.month, c.currency
ORDER BY amount DESC
