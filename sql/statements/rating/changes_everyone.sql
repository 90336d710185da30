-- Answers: every account, to be rated anew from a time (what-if).
-- Grain: account. Temporary.
-- Reads: rating_subjects.
CREATE OR REPLACE TEMP TABLE rating_replays AS
SELECT account_id, $since::TIMESTAMP AS from_bucket, 'what-if' AS reason FROM rating_subjects;
