-- Which TLS certificates end within days?
-- Grain: one row per edge × domain with HTTPS on.
-- Reads: https_domains.
-- Parameter days (number, 30): how many days ahead to look
-- Read by: people (edgetoll query).
SELECT
    domain,
    account_id,
    edge_id,
    expires,
    date_diff('day', CAST(now() AS TIMESTAMP), expires) AS days_left,
    certificate_sha256
FROM https_domains
WHERE
    (enabled_until IS NULL OR enabled_until > CAST(now() AS TIMESTAMP))
    AND expires < CAST(now() AS TIMESTAMP) + to_days(CAST($days AS INTEGER))
ORDER BY expires, domain, edge_id

-- Sample:
-- edgetoll query tls_certificates_that_end
-- | domain | account_id | edge_id | expires | days_left | certificate_sha256 |
-- | --- | --- | --- | --- | ---: | --- |
