-- Answers: takes one endpoint into the session's list.
-- Grain: one row.
-- Reads: nothing.
INSERT INTO endpoints_now VALUES ($endpoint);
