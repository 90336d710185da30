-- Answers: the last journal record applied, and its hash.
-- Grain: one row.
-- Reads: journal_state.
SELECT last_no, last_hash FROM journal_state;
