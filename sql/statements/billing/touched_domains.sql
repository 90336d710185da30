-- Answers: the names whose owner a journal record changes, and from when.
-- Grain: one row per name (exact or wildcard).
-- Reads: new_domains, ended_domains.
CREATE OR REPLACE TEMP TABLE touched_domains AS
SELECT domain, min(from_bucket) AS from_bucket
FROM (
    SELECT domain, effective_from AS from_bucket FROM new_domains
    UNION ALL
    SELECT domain, effective_to AS from_bucket FROM ended_domains
)
GROUP BY domain;
