-- Answers: ends what the breaker holds: the run that is posted now is released, another is superseded.
-- Grain: one row per held run.
-- Reads: runs.
UPDATE runs SET state = 'superseded' WHERE state = 'held';
