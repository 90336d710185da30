-- Who owns which domain, from when to when.
-- One row per domain (exact, or *.name) and period.
-- Reads lake_domains.
CREATE VIEW domains AS
SELECT
    ownership_id,
    domain,
    account_id,
    effective_from,
    effective_to
FROM lake_domains
