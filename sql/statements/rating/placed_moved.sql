-- Answers: nothing; puts the places of rating_periods into rating_placed.
-- Grain: account × lane × seq.
-- Reads: rating_periods.
UPDATE rating_placed AS p
SET place = n.place
FROM rating_periods AS n
WHERE n.account_key = p.account_key AND n.lane = p.lane AND n.seq = p.seq;
