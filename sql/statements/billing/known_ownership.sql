-- Answers: the stored ownership rows with the ids of a load.
-- Grain: one row per stored ownership.
-- Reads: domain_ownership, load_domains.
SELECT
    d.ownership_id,
    d.domain,
    d.account_id,
    d.effective_from,
    d.effective_to
FROM domain_ownership AS d
SEMI JOIN load_domains AS l ON d.ownership_id = l.ownership_id;
