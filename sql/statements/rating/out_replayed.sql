-- Answers: which accounts were replayed and from which month, so that their state is replaced.
-- Grain: account. Temporary.
-- Reads: rating_accounts, rating_months.
CREATE OR REPLACE TEMP TABLE rating_out_replayed AS
SELECT a.account_id, m.month AS from_month, a.reason
FROM rating_accounts AS a
JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = a.replay_month
WHERE a.replay_from IS NOT NULL;
