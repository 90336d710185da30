-- Answers: nothing; stores the account-hours that stay unrated.
-- Grain: account × hour.
-- Reads: effect_rating_held.
INSERT INTO rating_held BY NAME SELECT * FROM effect_rating_held;
