-- Answers: what plans paid in this run; for replayed accounts the difference to what they had paid.
-- Grain: plan × month × hour. Temporary.
-- Reads: rating_plan_parts, rating_accounts, rating_months, plan_use.
CREATE OR REPLACE TEMP TABLE rating_out_plan_use AS
WITH paid AS (
    SELECT q.plan_id, a.account_id, m.month, q.hour, q.quantity
    FROM rating_plan_parts AS q
    JOIN rating_accounts AS a ON a.account_key = q.account_key
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = q.month
    UNION ALL
    SELECT u.plan_id, u.account_id, u.month, u.hour, -u.quantity
    FROM plan_use AS u
    JOIN rating_accounts AS a ON a.account_id = u.account_id AND a.replay_from IS NOT NULL
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = u.month
    WHERE m.number >= a.replay_month
)
SELECT plan_id, account_id, month, hour, sum(quantity) AS quantity
FROM paid
GROUP BY plan_id, account_id, month, hour
HAVING sum(quantity) <> 0;
