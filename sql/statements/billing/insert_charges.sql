-- Answers: stores the charges of one rating run.
-- Grain: one row per charge.
-- Reads: new_charges.
INSERT INTO charges BY NAME
SELECT *, $run_id AS run_id, CAST($journal_no AS BIGINT) AS journal_no
FROM new_charges;
