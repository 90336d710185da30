-- Answers: stores the domain ownership of one journal record.
-- Grain: one row per domain and period.
-- Reads: effect_domains.
INSERT INTO domain_ownership BY NAME
SELECT *, CAST($journal_no AS BIGINT) AS journal_no FROM effect_domains;
