-- Answers: whether the set of unrated account-hours would change.
-- Grain: one row.
-- Reads: rating_held, rating_out_held.
SELECT count(*) > 0 FROM (
    (SELECT * FROM rating_held EXCEPT SELECT * FROM rating_out_held)
    UNION ALL
    (SELECT * FROM rating_out_held EXCEPT SELECT * FROM rating_held)
);
