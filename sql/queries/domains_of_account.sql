-- Which names does an account own, from when to when?
-- Grain: one row per domain and period.
-- Reads: domains.
-- Parameter account (text): the account, by its id
-- Read by: people (edgetoll query).
SELECT
    domain,
    effective_from,
    effective_to,
    tags
FROM domains
WHERE account_id = $account
ORDER BY effective_to NULLS FIRST, domain, effective_from

-- Sample:
-- edgetoll query domains_of_account --param account=acme
-- | domain | effective_from | effective_to | tags |
-- | --- | --- | --- | --- |
-- | cdn.acme.example | 2000-01-01 00:00 |  | {"team": "video"} |
-- | www.acme.example | 2000-01-01 00:00 |  | {"team": "web"} |
