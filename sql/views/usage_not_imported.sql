-- Usage that billing has not imported yet: hours still open, and closed ones; with whoever owns the domain.
-- Grain: one row per 5-minute bucket × account × domain × region × class × file it comes from.
-- Owner: metering.
-- Reads: closed_usage (closed, not yet imported), live_usage (open), lake_domains, closed_hour_list.
-- Read by: people (edgetoll sql), sql/views/usage_parts.sql, sql/views/usage_hourly_parts.sql, sql/views/usage_daily_parts.sql.
CREATE VIEW usage_not_imported AS
WITH shape AS (
    SELECT
        NULL::BIGINT AS status_0xx,
        NULL::BIGINT AS status_1xx,
        NULL::BIGINT AS status_2xx,
        NULL::BIGINT AS status_3xx,
        NULL::BIGINT AS status_4xx,
        NULL::BIGINT AS status_5xx,
        NULL::BIGINT AS status_other,
        NULL::BIGINT AS cache_hits
    WHERE false
),

open_usage AS (
    SELECT l.* EXCLUDE (filename)
    FROM live_usage AS l
    ANTI JOIN closed_hour_list AS c
        ON c.hour = date_trunc('hour', l.bucket)
        AND c.partition = regexp_extract(l.filename, 'partition=([^/]+)\.parquet$', 1)
),

-- Files of another version may lack some counts.
not_imported AS (
    FROM closed_usage
    UNION ALL BY NAME
    FROM open_usage
    UNION ALL BY NAME
    FROM shape
)

SELECT
    n.bucket,
    coalesce(exact.account_id, wildcard.account_id) AS account_id,
    n.domain,
    n.region,
    n.class,
    n.requests,
    n.bytes_sent,
    n.status_0xx,
    n.status_1xx,
    n.status_2xx,
    n.status_3xx,
    n.status_4xx,
    n.status_5xx,
    n.status_other,
    n.cache_hits
FROM not_imported AS n
LEFT JOIN lake_domains AS exact
    ON exact.domain = n.domain
    AND n.bucket >= exact.effective_from
    AND n.bucket < coalesce(exact.effective_to, TIMESTAMP '9999-12-31')
LEFT JOIN lake_domains AS wildcard
    ON wildcard.domain = '*' || substr(n.domain, instr(n.domain, '.'))
    AND n.bucket >= wildcard.effective_from
    AND n.bucket < coalesce(wildcard.effective_to, TIMESTAMP '9999-12-31')
