-- Answers: the free quota each month has used before this run.
-- Grain: account × lane × month. Temporary.
-- Reads: rating_free_work, rating_state.
CREATE OR REPLACE TEMP TABLE rating_free_used AS
SELECT w.account_key, w.lane, w.month, coalesce(any_value(s.free_quantity), 0)::HUGEINT AS used
FROM rating_free_work AS w
LEFT JOIN rating_state AS s
    ON s.account_key = w.account_key AND s.lane = w.lane AND s.month = w.month
GROUP BY w.account_key, w.lane, w.month;
