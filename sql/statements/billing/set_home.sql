-- Answers: tells the session which home it belongs to.
-- Grain: one session.
-- Reads: nothing.
SET VARIABLE home = $home;
