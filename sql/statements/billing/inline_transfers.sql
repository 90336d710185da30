-- Answers: the transfers that stand inside a journal record, typed.
-- Grain: one row per transfer.
-- Reads: nothing but $transfers.
CREATE OR REPLACE TEMP TABLE new_transfers AS
SELECT
    t.transfer_id,
    t.debit_account,
    t.credit_account,
    CAST(t.amount AS HUGEINT) AS amount,
    t.currency,
    t.code,
    t.account_id,
    CAST(t.effective_at AS TIMESTAMP) AS effective_at,
    t.reference
FROM (
    SELECT unnest(from_json(
        CAST($transfers AS JSON),
        '[{"transfer_id":"VARCHAR","debit_account":"VARCHAR","credit_account":"VARCHAR",'
        || '"amount":"VARCHAR","currency":"VARCHAR","code":"VARCHAR","account_id":"VARCHAR",'
        || '"effective_at":"VARCHAR","reference":"VARCHAR"}]'
    )) AS t
);
