-- How much was used per day in the account's own time zone (UTC where nobody owns the domain).
-- One row per day × account × domain × region × class.
-- Reads usage_parts, lake_accounts.
CREATE VIEW usage_daily AS
SELECT
    CAST(
        timezone(coalesce(a.timezone, 'UTC'), timezone('UTC', u.bucket)) AS DATE
    ) AS day,
    u.account_id,
    u.domain,
    u.region,
    u.class,
    CAST(sum(u.requests) AS BIGINT) AS requests,
    CAST(sum(u.bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_parts AS u
LEFT JOIN lake_accounts AS a ON u.account_id = a.account_id
GROUP BY ALL
