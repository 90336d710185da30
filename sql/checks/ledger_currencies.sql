-- Every transfer and every charge has a known account and that account's currency (FAULTS G23).
-- Grain: one row per transfer that does not, and per account and currency of charges that do not.
-- Reads: posted_transfers, filed_charges, accounts.
-- Read by: billing/checks/invariants.py.
WITH moved AS (
    SELECT transfer_id, account_id, currency
    FROM posted_transfers
    WHERE journal_no > $after
    UNION ALL
    SELECT DISTINCT 'charges' AS transfer_id, account_id, currency
    FROM filed_charges
    WHERE journal_no > $after
)

SELECT m.transfer_id, m.account_id, m.currency, a.currency AS currency_of_account
FROM moved AS m
LEFT JOIN accounts AS a ON m.account_id = a.account_id
WHERE a.currency IS DISTINCT FROM m.currency;
