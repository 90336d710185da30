-- Answers: what the record just put into the history becomes the present standing.
-- Grain: one row per account of the record.
-- Reads: account_state_history.
INSERT INTO account_state
SELECT h.*
FROM account_state_history AS h
WHERE h.journal_no = $journal_no;
