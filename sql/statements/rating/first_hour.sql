-- Answers: the first hour of the usage at hand.
-- Grain: one row; NULL when there is none.
-- Reads: rating_usage.
SELECT min(hour) FROM rating_usage WHERE hour < $through;
