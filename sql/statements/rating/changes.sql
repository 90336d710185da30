-- Answers: which accounts' past changed since the last run, from when, and why.
-- Grain: account. Temporary.
-- Reads: replay_marks, rating_usage, rating_held, given_corrections (new cards of the past), rating_subjects.
CREATE OR REPLACE TEMP TABLE rating_replays AS
WITH found AS (
    SELECT account_id, from_bucket, reason FROM replay_marks WHERE from_bucket < $last_through
    UNION ALL
    SELECT account_id, min(bucket), 'late usage'
    FROM rating_usage
    WHERE import_no > $last_import AND hour < $last_through
    GROUP BY account_id
    UNION ALL
    SELECT account_id, min(hour), 'price found'
    FROM rating_held
    WHERE $retry_held
    GROUP BY account_id
    UNION ALL
    SELECT a.account_id, min(c.effective_from), 'price corrected'
    FROM given_corrections AS c
    JOIN rating_subjects AS a
        ON a.price_book = c.book AND (c.account_id IS NULL OR c.account_id = a.account_id)
    GROUP BY a.account_id
)
SELECT
    account_id, min(from_bucket) AS from_bucket,
    string_agg(DISTINCT reason, ', ' ORDER BY reason) AS reason
FROM found
WHERE account_id IS NOT NULL
GROUP BY account_id;
