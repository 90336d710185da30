-- Answers: the bytes of every 5-minute bucket of the periods whose bandwidth is billed now.
-- Grain: account × item × period × region label × bucket. Temporary.
-- Reads: rating_usage, rating_bandwidth_periods.
CREATE OR REPLACE TEMP TABLE rating_samples AS
SELECT
    p.account_key, p.book, p.item_no, p.month, p.starts_at, p.ends_at, p.rank, p.weight,
    u.region AS label, u.bucket, sum(u.bytes_sent) AS bytes_sent
FROM rating_usage AS u
JOIN rating_bandwidth_periods AS p
    ON p.account_id = u.account_id AND u.bucket >= p.starts_at AND u.bucket < p.ends_at
WHERE u.hour < $through
GROUP BY ALL
HAVING sum(u.bytes_sent) > 0;
