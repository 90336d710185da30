-- Answers: empties the table of versions in force, to be filled again.
-- Grain: one row per account.
-- Reads: accounts.
DELETE FROM accounts;
