-- Answers: what the free quota pays of each slice of one segment: usage is free up to the quota.
-- Grain: account × lane × seq.
-- Reads: rating_free_work, rating_free_used.
INSERT INTO rating_free
SELECT
    w.account_key, w.lane, w.seq,
    greatest(u.used, least(u.used + w.running, w.quota))
    - greatest(u.used, least(u.used + w.running - w.quantity, w.quota))
FROM rating_free_work AS w
JOIN rating_free_used AS u
    ON u.account_key = w.account_key AND u.lane = w.lane AND u.month = w.month
WHERE w.segment = $segment AND w.quota > u.used;
