-- Which domains are served but belong to nobody? Their usage is counted and charged to no one.
-- Grain: one row per domain.
-- Reads: usage_daily.
-- Read by: people (edgetoll query).
-- Chart: bar, domain, requests
SELECT
    domain,
    min(day) AS first_day,
    max(day) AS last_day,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_daily
WHERE account_id IS NULL
GROUP BY domain
ORDER BY requests DESC, domain
