-- Answers: what a month has cost each account and each item, and what it would cost.
-- Grain: account × item.
-- Reads: charges, rating_truth, rating_subjects.
WITH amounts AS (
    SELECT c.account_id, c.item, c.currency, c.amount AS charged, 0::HUGEINT AS tried
    FROM charges AS c
    SEMI JOIN rating_subjects AS s ON s.account_id = c.account_id
    WHERE c.month = $month
    UNION ALL
    SELECT account_id, item, currency, 0, amount FROM rating_truth WHERE month = $month
)
SELECT
    account_id, item, currency, sum(charged)::DECIMAL(38, 0) AS charged,
    sum(tried)::DECIMAL(38, 0) AS tried
FROM amounts
GROUP BY account_id, item, currency
ORDER BY account_id, item;
