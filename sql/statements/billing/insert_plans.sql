-- Answers: stores the plans of one journal record.
-- Grain: one row per plan.
-- Reads: effect_plans.
INSERT INTO plans BY NAME
SELECT *, CAST($journal_no AS BIGINT) AS journal_no FROM effect_plans;
