-- How much was used per month (YYYY-MM) in the account's own time zone, as invoices see it.
-- Grain: one row per month × account × domain × region × class.
-- Owner: metering.
-- Reads: usage_daily.
-- Read by: people (edgetoll sql), sql/queries/usage_by_domain.sql,
-- sql/queries/https_share_by_domain.sql, sql/queries/usage_growth_by_month.sql.
CREATE VIEW usage_monthly AS
SELECT
    strftime(day, '%Y-%m') AS month,
    account_id,
    domain,
    region,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_daily
GROUP BY ALL
