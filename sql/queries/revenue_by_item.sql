-- What was earned, by what was sold?
-- Grain: one row per month × item × currency.
-- Reads: charges_daily.
-- Chart: stack, month, amount, item
-- Read by: people (edgetoll query).
SELECT
    month,
    item,
    currency,
    sum(quantity) AS quantity,
    sum(amount) AS amount,
    count(DISTINCT account_id) AS accounts
FROM charges_daily
GROUP BY month, item, currency
ORDER BY month, currency, amount DESC

-- Sample:
-- edgetoll query revenue_by_item
-- | month | item | currency | quantity | amount | accounts |
-- | --- | --- | --- | ---: | ---: | ---: |
-- | 2026-10 | data_transfer | USD | 21777836497 | 0.9569314454 | 2 |
-- | 2026-10 | https_requests | USD | 228142 | 0.1825136000 | 2 |
-- | 2026-11 | data_transfer | USD | 18097697079 | 1.1379542969 | 2 |
-- | 2026-11 | https_requests | USD | 304139 | 0.2433112000 | 2 |
