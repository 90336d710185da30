-- Answers: the stretches of unchanged prices this run touches.
-- Grain: epoch. Temporary.
-- Reads: rating_buckets.
CREATE OR REPLACE TEMP TABLE rating_epochs AS
SELECT DISTINCT epoch FROM rating_buckets;
