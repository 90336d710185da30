-- What does each team or product of a customer cost, by a tag of its domains?
-- Grain: one row per account × value of the tag × currency; (none): domains without it, and what no domain used.
-- Reads: domain_bills.
-- Parameter month (month): the month of the documents
-- Parameter tag (text): the name of a tag of domains, say team
-- Chart: bar, tag_value, total, account_id
-- Read by: people (edgetoll query).
SELECT
    account_id,
    coalesce(tags[$tag], '(none)') AS tag_value,
    count(DISTINCT domain) AS domains,
    CAST(sum(amount) + sum(tax) AS DECIMAL(38, 10)) AS total,
    currency
FROM domain_bills
WHERE month = $month AND status <> 'void'
GROUP BY account_id, tag_value, currency
ORDER BY account_id, total DESC, tag_value

-- Sample:
-- edgetoll query bill_by_tag --param month=2026-10 --param tag=team
-- | account_id | tag_value | domains | total | currency |
-- | --- | --- | ---: | ---: | --- |
-- | acme | video | 1 | 0.6303055294 | USD |
-- | acme | web | 1 | 0.6096944706 | USD |
-- | beta | all | 2 | 0.0300000000 | USD |
