-- Answers: the usage of some hours as it is handed on, names folded as fold_names decided.
-- Grain: hour x 5-minute bucket x domain x region x class; domain NULL is unattributed.
-- Reads: usage, wanted_hours (Arrow: hour), folded_names (temporary).
SELECT
    wanted.hour,
    u.bucket,
    CASE WHEN f.domain IS NULL THEN u.domain ELSE f.wildcard END AS kept,
    u.region,
    u.class,
    sum(u.requests)::BIGINT AS requests,
    sum(u.bytes_sent)::BIGINT AS bytes_sent,
    sum(u.status_0xx)::BIGINT AS status_0xx,
    sum(u.status_1xx)::BIGINT AS status_1xx,
    sum(u.status_2xx)::BIGINT AS status_2xx,
    sum(u.status_3xx)::BIGINT AS status_3xx,
    sum(u.status_4xx)::BIGINT AS status_4xx,
    sum(u.status_5xx)::BIGINT AS status_5xx,
    sum(u.cache_hits)::BIGINT AS cache_hits
FROM usage AS u
INNER JOIN wanted_hours AS wanted ON wanted.hour = date_trunc('hour', u.bucket)
LEFT JOIN folded_names AS f ON f.hour = wanted.hour AND f.domain = u.domain
WHERE
    u.partition = $partition
    AND u.bucket >= $first_bucket AND u.bucket <= $last_bucket
GROUP BY wanted.hour, u.bucket, kept, u.region, u.class
ORDER BY wanted.hour, u.bucket, kept NULLS LAST, u.region, u.class
