-- What customers paid in, and what went back: positive raises what the account has.
-- Grain: one row per payment, voucher, refund, chargeback or write-off.
-- Owner: billing/ledger.
-- Reads: lake_transfers: charges, which are transfers too, are none of these.
-- Read by: people (edgetoll sql), sql/queries/payments_by_month.sql.
CREATE VIEW payments AS
SELECT
    transfer_id AS payment_id,
    account_id,
    effective_at AS paid_at,
    code AS kind,
    CAST(CASE WHEN code IN ('refund', 'chargeback') THEN -amount ELSE amount END AS DECIMAL(38, 10)) AS amount,
    currency,
    reference,
    journal_no
FROM lake_transfers
WHERE code IN ('cash', 'voucher', 'refund', 'chargeback', 'write-off')
