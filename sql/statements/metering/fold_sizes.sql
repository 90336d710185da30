-- Answers: how many rows of usage some hours have, so that large ones are handed on in pieces.
-- Grain: 5-minute bucket.
-- Reads: usage, wanted_hours (Arrow: hour).
SELECT u.bucket, count(*) AS usage_rows
FROM usage AS u
INNER JOIN wanted_hours AS wanted ON wanted.hour = date_trunc('hour', u.bucket)
WHERE u.partition = $partition
GROUP BY u.bucket
ORDER BY u.bucket
