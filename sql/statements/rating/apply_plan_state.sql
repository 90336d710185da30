-- Answers: nothing; moves the sum of each plan's use on.
-- Grain: plan.
-- Reads: effect_plan_use.
MERGE INTO plan_state AS s
USING (
    SELECT plan_id, sum(quantity)::HUGEINT AS used FROM effect_plan_use GROUP BY plan_id
) AS u
ON s.plan_id = u.plan_id
WHEN MATCHED THEN UPDATE SET used = s.used + u.used
WHEN NOT MATCHED THEN INSERT (plan_id, used) VALUES (u.plan_id, u.used);
