-- Whose requests does an hour hold?
-- Grain: one row per account × domain × region × class, the largest first.
-- Reads: usage_hourly.
-- Parameter hour (text): the hour, as 2026-11-03T08
-- Parameter account (text, all): one account, (nobody), or all of them
-- Read by: people (edgetoll query).
SELECT
    account_id,
    domain,
    region,
    class,
    requests,
    bytes_sent
FROM usage_hourly
WHERE
    hour = CAST($hour || ':00' AS TIMESTAMP)
    AND ($account = 'all' OR account_id = $account OR ($account = '(nobody)' AND account_id IS NULL))
ORDER BY requests DESC, domain, region, class

-- Sample:
-- edgetoll query usage_of_hour --param hour=2026-11-03T08 --param account=acme
-- | account_id | domain | region | class | requests | bytes_sent |
-- | --- | --- | --- | --- | ---: | ---: |
-- | acme | www.acme.example | DE | https | 120028 | 4294967303 |
-- | acme | cdn.acme.example | DE | https | 4036 | 3221225472 |
-- | acme | cdn.acme.example | DE | http | 501 | 999999 |
-- | acme | www.acme.example | DE | quic | 303 | 100000000 |
