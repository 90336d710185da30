-- How much was used per day in the account's own time zone (UTC where nobody owns the domain).
-- Grain: one row per day × account × domain × region × class.
-- Owner: metering.
-- Reads: usage_daily_parts.
-- Read by: people (edgetoll sql), sql/queries/unattributed_domains.sql, sql/views/usage_monthly.sql.
CREATE VIEW usage_daily AS
SELECT
    day,
    account_id,
    domain,
    region,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_daily_parts
GROUP BY ALL
