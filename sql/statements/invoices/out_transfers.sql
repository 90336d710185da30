-- Answers: what issuing moves in the ledger: tax is owed, the cut is given back; charges were posted when rated.
-- Grain: one row per document and kind, only where there is an amount.
-- Reads: invoice_out_heads.
CREATE OR REPLACE TEMP TABLE invoice_out_transfers AS
WITH moves AS (
    SELECT
        invoice_no,
        account_id,
        currency,
        issued_at,
        'tax' AS code,
        tax AS owed
    FROM invoice_out_heads
    UNION ALL
    SELECT
        invoice_no,
        account_id,
        currency,
        issued_at,
        'cut' AS code,
        -cut AS owed
    FROM invoice_out_heads
)

SELECT
    code || ':' || invoice_no AS transfer_id,
    CASE WHEN owed > 0 THEN 'customer:' || account_id || ':funds' ELSE code || ':' || currency END AS debit_account,
    CASE WHEN owed > 0 THEN code || ':' || currency ELSE 'customer:' || account_id || ':funds' END AS credit_account,
    CAST(abs(owed) AS HUGEINT) AS amount,
    currency,
    code,
    account_id,
    issued_at AS effective_at,
    invoice_no AS reference
FROM moves
WHERE owed <> 0
ORDER BY invoice_no, code;
