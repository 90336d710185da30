-- Answers: keeps the ids of the transfers of one journal record that are no charges.
-- Grain: one row per transfer.
-- Reads: new_transfers.
INSERT INTO posted_ids
SELECT transfer_id, CAST($journal_no AS BIGINT) AS journal_no
FROM new_transfers
WHERE code NOT IN ('charge', 'correction');
