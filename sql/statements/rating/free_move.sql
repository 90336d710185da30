-- Answers: the free quota used after one segment.
-- Grain: account × lane × month. Temporary.
-- Reads: rating_free_used, rating_free_work.
CREATE OR REPLACE TEMP TABLE rating_free_used AS
SELECT
    u.account_key, u.lane, u.month,
    greatest(u.used, least(u.used + coalesce(max(w.running), 0), coalesce(max(w.quota), 0))) AS used
FROM rating_free_used AS u
LEFT JOIN rating_free_work AS w
    ON w.account_key = u.account_key AND w.lane = u.lane AND w.month = u.month
    AND w.segment = $segment
GROUP BY u.account_key, u.lane, u.month, u.used;
