-- Answers: what every account's n-th plan pays: each slice in its validity and scope, in order, until it is
-- used up. Plans of lower rank have had their part, which makes this the same as going hour by hour.
-- Grain: plan × lane × seq.
-- Reads: rating_plan_work, rating_plans.
INSERT INTO rating_plan_parts
WITH demand AS (
    SELECT
        p.plan_id, w.account_key, w.lane, w.seq, w.month, w.hour, w.remaining,
        p.remaining AS capacity,
        sum(w.remaining) OVER (PARTITION BY p.plan_id ORDER BY w.seq, w.lane) AS running
    FROM rating_plan_work AS w
    JOIN rating_plans AS p
        ON p.account_key = w.account_key AND p.kind = w.plan_kind AND p.rank = $rank
        AND w.hour >= p.covers_from AND w.hour < p.ends_at
        AND (
            p.kind = 'https_requests' OR p.region = 'all' OR p.region = w.place
            OR (p.region = 'OverSeas' AND w.place NOT IN ('CN', '?'))
        )
    WHERE w.remaining > 0
)
SELECT
    plan_id, account_key, lane, seq, month, hour,
    least(remaining, capacity - (running - remaining)) AS quantity
FROM demand
WHERE running - remaining < capacity;
