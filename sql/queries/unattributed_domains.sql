-- Which domains are served but belong to nobody? Their usage is counted and charged to no one.
-- Grain: one row per domain.
-- Reads: usage_daily.
-- Chart: bar, domain, requests
-- Read by: people (edgetoll query).
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

-- Sample:
-- edgetoll query unattributed_domains
-- | domain | first_day | last_day | requests | bytes_sent |
-- | --- | --- | --- | ---: | ---: |
-- | nobody.example | 2026-10-05 | 2026-11-03 | 115 | 61725 |
