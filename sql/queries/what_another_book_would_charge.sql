-- What last month would have cost each account on another price book, and how much more that is.
-- Grain: one row per account × item. To ask about another book or month, change the two words in what_if.
-- Reads: the macro what_if.
-- Read by: people (edgetoll sql).
SELECT
    account_id,
    item,
    sum(charged) AS charged,
    sum(tried) AS tried,
    sum(tried) - sum(charged) AS change,
    tried_currency AS currency
FROM what_if('alibaba-international', strftime(now() - INTERVAL 1 MONTH, '%Y-%m'))
GROUP BY account_id, item, tried_currency
ORDER BY change DESC, account_id, item
