-- What would the month have cost each account on another price book?
-- Grain: one row per account × item; null where the book has no price.
-- Reads: the macro what_if.
-- Read by: people (edgetoll query).
-- Parameter book (text): the id of the price book to try, say alibaba-international
-- Parameter month (month): the month to price anew
-- Chart: bar, account_id, change, item
SELECT
    account_id,
    item,
    CAST(sum(charged) AS DECIMAL(38, 10)) AS charged,
    CAST(sum(tried) AS DECIMAL(38, 10)) AS tried,
    CAST(sum(tried) - sum(charged) AS DECIMAL(38, 10)) AS change,
    tried_currency AS currency
FROM what_if($book, $month)
GROUP BY account_id, item, tried_currency
ORDER BY change DESC, account_id, item
