-- Answers: stores the account versions of one journal record.
-- Grain: one row per version.
-- Reads: effect_account_versions.
INSERT INTO account_versions BY NAME
SELECT *, CAST($journal_no AS BIGINT) AS journal_no FROM effect_account_versions;
