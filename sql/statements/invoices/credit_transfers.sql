-- Answers: what a partial credit note moves besides tax: its net, from the item's revenue back to the customer.
-- Grain: one row added.
-- Reads: invoice_out_heads, invoice_out_lines, invoice_out_transfers.
INSERT INTO invoice_out_transfers BY NAME
SELECT
    'credit:' || heads.invoice_no AS transfer_id,
    'revenue:' || lines.item AS debit_account,
    'customer:' || heads.account_id || ':funds' AS credit_account,
    CAST(-lines.amount AS HUGEINT) AS amount,
    heads.currency,
    'credit_note' AS code,
    heads.account_id,
    heads.issued_at AS effective_at,
    heads.invoice_no AS reference
FROM invoice_out_heads AS heads
INNER JOIN invoice_out_lines AS lines ON heads.invoice_no = lines.invoice_no;
