-- Answers: nothing; stores how far rating has come.
-- Grain: one row.
-- Reads: journal_state (the record being applied is the next one).
INSERT INTO rating_marks
SELECT
    $run_id, $import_no::BIGINT, $through::TIMESTAMP, $origin::TIMESTAMP, $books_sha256,
    last_no + 1
FROM journal_state;
