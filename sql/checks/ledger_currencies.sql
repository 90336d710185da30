-- Every transfer has a known account and that account's currency (FAULTS G23).
-- Grain: one row per transfer that does not.
-- Reads: transfers, accounts.
-- Read by: billing/checks/invariants.py.
SELECT t.transfer_id, t.account_id, t.currency, a.currency AS currency_of_account
FROM transfers AS t
LEFT JOIN accounts AS a ON t.account_id = a.account_id
WHERE t.journal_no > $after AND a.currency IS DISTINCT FROM t.currency;
