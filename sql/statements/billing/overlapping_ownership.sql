-- Answers: which domains would have two owners at once (FAULTS F5), over all that is stored.
-- Grain: one row per overlap of names in this record, the first ten.
-- Reads: domain_ownership, touched_domains.
WITH periods AS (
    SELECT
        domain,
        account_id,
        effective_from,
        coalesce(effective_to, TIMESTAMP '9999-12-31') AS effective_to,
        lag(account_id) OVER ordered AS account_before,
        max(coalesce(effective_to, TIMESTAMP '9999-12-31')) OVER (
            ordered ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS end_before
    FROM domain_ownership
    SEMI JOIN touched_domains USING (domain)
    WINDOW ordered AS (PARTITION BY domain ORDER BY effective_from, ownership_id)
)

SELECT domain, account_before, account_id, effective_from
FROM periods
WHERE end_before > effective_from
ORDER BY domain, effective_from
LIMIT 10;
