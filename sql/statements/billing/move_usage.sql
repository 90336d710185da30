-- Answers: gives imported usage to the account that owns its domain now.
-- Grain: one row per usage row that moves.
-- Reads: moved_usage.
UPDATE usage SET account_id = m.new_account
FROM moved_usage AS m
WHERE usage.rowid = m.usage_row;
