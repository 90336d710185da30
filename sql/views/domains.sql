-- Who owns which domain, from when to when.
-- Grain: one row per domain (exact, or *.name) and period.
-- Reads: lake_domains.
-- Read by: people (edgetoll sql).
CREATE VIEW domains AS
SELECT
    ownership_id,
    domain,
    account_id,
    effective_from,
    effective_to
FROM lake_domains
