-- Answers: the names that some account owns now or later, for metering never to fold.
-- Grain: one row per name.
-- Reads: domain_ownership.
SELECT DISTINCT domain
FROM domain_ownership
ORDER BY domain;
