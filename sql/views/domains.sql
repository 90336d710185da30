-- Who owns which domain, from when to when.
-- Grain: one row per domain (exact, or *.name) and period.
-- Owner: billing/accounts.
-- Reads: lake_domains, lake_tags.
-- Read by: people (edgetoll sql).
CREATE VIEW domains AS
SELECT
    d.ownership_id,
    d.domain,
    d.account_id,
    d.effective_from,
    d.effective_to,
    coalesce(t.tags, CAST(MAP {} AS MAP(VARCHAR, VARCHAR))) AS tags
FROM lake_domains AS d
LEFT JOIN lake_tags AS t ON t.kind = 'domain' AND t.subject = d.domain AND t.account_id = d.account_id
