-- Answers: how many plans of one kind the account with most of them has.
-- Grain: one row.
-- Reads: rating_plans.
SELECT coalesce(max(rank), 0) FROM rating_plans;
