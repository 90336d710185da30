-- Answers: the home this session belongs to, for appliers that read closed hours.
-- Grain: one row.
-- Reads: the session's variable `home`.
SELECT getvariable('home');
