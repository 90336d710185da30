-- Who owns which domain, from when to when.
-- Grain: one row per domain (exact or wildcard) and period.
-- Reads: domain_ownership.
-- Read by: sql/views/domains.sql, sql/views/usage_not_imported.sql.
SELECT
    ownership_id,
    domain,
    account_id,
    effective_from,
    effective_to
FROM domain_ownership
ORDER BY domain, effective_from;
