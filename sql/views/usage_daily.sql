-- How much was used per day in the account's own time zone (UTC where nobody owns the domain).
-- Grain: one row per day × account × domain × region × class.
-- Reads: usage_parts, lake_accounts. A zone's day is looked up once per bucket, not once per row.
-- Read by: people (edgetoll sql), sql/queries/unattributed_domains.sql, sql/views/usage_monthly.sql.
CREATE VIEW usage_daily AS
WITH zones AS (
    SELECT DISTINCT timezone AS zone FROM lake_accounts
    UNION
    SELECT 'UTC' AS zone
),

days AS (
    SELECT
        b.bucket,
        z.zone,
        CAST(timezone(z.zone, timezone('UTC', b.bucket)) AS DATE) AS day
    FROM (SELECT DISTINCT bucket FROM usage_parts) AS b
    CROSS JOIN zones AS z
)

SELECT
    d.day,
    u.account_id,
    u.domain,
    u.region,
    u.class,
    CAST(sum(u.requests) AS BIGINT) AS requests,
    CAST(sum(u.bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_parts AS u
LEFT JOIN lake_accounts AS a ON u.account_id = a.account_id
INNER JOIN days AS d ON u.bucket = d.bucket AND d.zone = coalesce(a.timezone, 'UTC')
GROUP BY ALL
