-- What do the accounts of each tag bring in?
-- Grain: one row per value of the tag × currency; (none): accounts without it.
-- Reads: charges_daily, accounts.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter tag (text): the name of a tag of accounts, say segment
-- Chart: bar, tag_value, amount
-- Read by: people (edgetoll query).
SELECT
    coalesce(a.tags[$tag], '(none)') AS tag_value,
    count(DISTINCT c.account_id) AS accounts,
    CAST(sum(c.amount) AS DECIMAL(38, 10)) AS amount,
    c.currency
FROM charges_daily AS c
INNER JOIN accounts AS a ON c.account_id = a.account_id
WHERE c.month = $month
GROUP BY tag_value, c.currency
ORDER BY amount DESC, tag_value

-- Sample:
-- edgetoll query revenue_by_tag --param month=2026-11 --param tag=segment
-- | tag_value | accounts | amount | currency |
-- | --- | ---: | ---: | --- |
-- | video | 1 | 1.1497924303 | USD |
-- | (none) | 1 | 0.2314730666 | USD |
