-- Of what does usage consist: which domains, regions, classes or accounts?
-- Grain: one row per value of what it is split by, the largest first.
-- Reads: usage_daily_parts.
-- Parameter from_day (day): the first day, in each account's time zone
-- Parameter to_day (day): the last day
-- Parameter by (text, domain): domain, region, class or account
-- Parameter account (text, all): one account, (nobody), or all of them
-- Parameter domain (text, all): one domain, or all of them
-- Parameter region (text, all): one region, or all of them
-- Parameter class (text, all): https, quic or http, or all of them
-- Parameter top (number, 100): how many rows at most
-- Chart: bar, part, requests
-- Read by: people (edgetoll query).
SELECT
    CASE $by
        WHEN 'domain' THEN coalesce(nullif(domain, ''), '(many small names)')
        WHEN 'region' THEN region
        WHEN 'class' THEN class
        WHEN 'account' THEN coalesce(account_id, '(nobody)')
        ELSE error('by is domain, region, class or account')
    END AS part,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(coalesce(sum(requests) FILTER (class = 'https'), 0) AS BIGINT) AS https_requests,
    CAST(coalesce(sum(requests) FILTER (class = 'quic'), 0) AS BIGINT) AS quic_requests,
    CAST(coalesce(sum(requests) FILTER (class = 'http'), 0) AS BIGINT) AS http_requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_daily_parts
WHERE
    day >= $from_day
    AND day <= $to_day
    AND ($account = 'all' OR account_id = $account OR ($account = '(nobody)' AND account_id IS NULL))
    AND $domain IN ('all', coalesce(nullif(domain, ''), '(many small names)'))
    AND $region IN ('all', region)
    AND $class IN ('all', class)
GROUP BY ALL
ORDER BY requests DESC, part
LIMIT $top

-- Sample:
-- edgetoll query usage_split --param from_day=2026-11-01 --param to_day=2026-11-30 --param account=acme
-- | part | requests | https_requests | quic_requests | http_requests | bytes_sent |
-- | --- | ---: | ---: | ---: | ---: | ---: |
-- | www.acme.example | 240665 | 240059 | 606 | 0 | 8789934607 |
-- | cdn.acme.example | 9074 | 8072 | 0 | 1002 | 6444450942 |
