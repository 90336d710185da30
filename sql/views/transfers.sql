-- Every movement of money: a positive amount from the account debited to the one credited.
-- Grain: one row per transfer; a charge is its own.
-- Owner: billing/ledger.
-- Reads: lake_transfers, charges.
-- Read by: people (edgetoll sql), sql/views/ledger_entries.sql.
CREATE VIEW transfers AS
SELECT
    transfer_id,
    debit_account,
    credit_account,
    amount,
    currency,
    code,
    account_id,
    effective_at,
    reference,
    journal_no
FROM lake_transfers
UNION ALL
SELECT
    charge_id AS transfer_id,
    CASE WHEN amount > 0 THEN 'customer:' || account_id || ':funds' ELSE 'revenue:' || item END
        AS debit_account,
    CASE WHEN amount > 0 THEN 'revenue:' || item ELSE 'customer:' || account_id || ':funds' END
        AS credit_account,
    CAST(abs(amount) AS DECIMAL(38, 10)) AS amount,
    currency,
    CASE
        WHEN rate_card LIKE 'credit/%' THEN 'promotional_credit'
        WHEN revision = 0 THEN 'charge'
        ELSE 'correction'
    END AS code,
    account_id,
    period_end AS effective_at,
    month AS reference,
    journal_no
FROM charges
WHERE amount <> 0
