-- Answers: the card in force for accounts that have overrides in a lane.
-- Grain: account × lane × epoch. Temporary.
-- Reads: price_force, rating_accounts, rating_epochs.
CREATE OR REPLACE TEMP TABLE rating_account_routes AS
SELECT a.account_key, f.lane, e.epoch, f.card, f.force_no, f.force_from, f.force_until
FROM price_force AS f
JOIN rating_accounts AS a ON a.account_id = f.account_id
JOIN rating_epochs AS e ON e.epoch >= f.force_from AND e.epoch < f.force_until;
