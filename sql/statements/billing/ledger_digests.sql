-- Answers: what the ledger's hash is made of: one digest per account and code over its transfers by id.
-- Grain: one row per account, currency and code; recorded_at and journal_no are left out on purpose, since
-- the same money reached through other runs is the same ledger.
-- Reads: transfers.
SELECT
    account_id,
    currency,
    code,
    sha256(string_agg(
        transfer_id || '|' || debit_account || '|' || credit_account || '|' || CAST(amount AS VARCHAR)
        || '|' || strftime(effective_at, '%Y-%m-%dT%H:%M:%S') || '|' || reference,
        chr(10) ORDER BY transfer_id
    )) AS digest
FROM transfers
GROUP BY account_id, currency, code
ORDER BY account_id, currency, code;
