-- Answers: the marks of one journal record, under the name rating reads.
-- Grain: one row per mark.
-- Reads: replay_marks.
INSERT INTO rating_changes
SELECT account_id, from_bucket AS from_hour, reason FROM replay_marks WHERE journal_no = $journal_no;
