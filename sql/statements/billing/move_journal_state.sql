-- Answers: which journal record these tables hold now; changed in the transaction that applies the record.
-- Grain: one row.
-- Reads: journal_state.
UPDATE journal_state SET last_no = $number, last_hash = $hash;
