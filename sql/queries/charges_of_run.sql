-- What did a run charge, and whom?
-- Grain: one row per account × item × currency, the largest first.
-- Reads: charges.
-- Parameter run (text): the run, by its id
-- Parameter account (text, all): one account, or all of them
-- Read by: people (edgetoll query).
SELECT
    account_id,
    month,
    item,
    CAST(sum(quantity) AS BIGINT) AS quantity,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    currency,
    count(*) AS charges,
    min(period_start) AS first_period,
    max(period_end) AS last_period
FROM charges
WHERE run_id = $run AND $account IN ('all', account_id)
GROUP BY account_id, month, item, currency
ORDER BY amount DESC, account_id, month, item

-- Sample:
-- edgetoll query charges_of_run --param run=R00000003 --param account=acme
-- | account_id | month | item | quantity | amount | currency | charges | first_period | last_period |
-- | --- | --- | --- | ---: | ---: | --- | ---: | --- | --- |
