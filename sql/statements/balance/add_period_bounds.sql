-- Answers: takes the present period of one time zone into the session.
-- Grain: one row.
-- Reads: nothing.
INSERT INTO period_bounds VALUES ($timezone, $period, $period_start, $period_end);
