-- No domain has two owners at once (FAULTS A2, F5).
-- Grain: one row per overlap.
-- Reads: domain_ownership.
-- Read by: billing/checks/invariants.py.
WITH periods AS (
    SELECT
        domain,
        account_id,
        effective_from,
        max(coalesce(effective_to, TIMESTAMP '9999-12-31')) OVER (
            PARTITION BY domain
            ORDER BY effective_from, ownership_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS end_before
    FROM domain_ownership
)

SELECT domain, account_id, effective_from, end_before
FROM periods
WHERE end_before > effective_from;
