-- Answers: the usage still to be paid after the plans of one rank.
-- Grain: account × lane × seq. Temporary.
-- Reads: rating_plan_work, rating_plan_parts, rating_plans.
CREATE OR REPLACE TEMP TABLE rating_plan_work AS
SELECT
    w.account_key, w.plan_kind, w.lane, w.seq, w.hour, w.month, w.place,
    w.remaining - coalesce(t.quantity, 0) AS remaining
FROM rating_plan_work AS w
LEFT JOIN (
    SELECT q.account_key, q.lane, q.seq, q.quantity
    FROM rating_plan_parts AS q JOIN rating_plans AS p USING (plan_id)
    WHERE p.rank = $rank
) AS t ON t.account_key = w.account_key AND t.lane = w.lane AND t.seq = w.seq;
