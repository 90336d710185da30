-- Answers: whether any plan paid anything, or paid less than before.
-- Grain: one row.
-- Reads: rating_out_plan_use.
SELECT count(*) > 0 FROM rating_out_plan_use;
