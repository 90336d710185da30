-- Answers: forgets the changes of the past that a rating run has looked at.
-- Grain: one row per mark.
-- Reads: replay_marks.
DELETE FROM replay_marks;
