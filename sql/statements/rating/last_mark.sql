-- Answers: how far rating has come: last import, end of the last rated hour, first hour ever rated.
-- Grain: one row, or none before the first run.
-- Reads: rating_marks.
SELECT import_no, through, origin, books_sha256
FROM rating_marks
ORDER BY journal_no DESC
LIMIT 1;
