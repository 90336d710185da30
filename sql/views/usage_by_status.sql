-- How requests were answered, by class of status: for errors per domain. Of a class, single codes are not kept.
-- Grain: one row per hour × account × domain × region × class × class of status that occurred.
-- Owner: metering.
-- Reads: usage_hourly_parts. Usage whose file does not say has no rows; bytes by status are not kept.
-- Read by: people (edgetoll sql).
CREATE VIEW usage_by_status AS
SELECT
    u.hour,
    u.account_id,
    u.domain,
    u.region,
    u.class,
    s.status_class,
    CAST(sum(s.requests) AS BIGINT) AS requests
FROM usage_hourly_parts AS u
CROSS JOIN LATERAL (VALUES
    ('0xx', u.status_0xx), ('1xx', u.status_1xx), ('2xx', u.status_2xx), ('3xx', u.status_3xx),
    ('4xx', u.status_4xx), ('5xx', u.status_5xx), ('other', u.status_other)
) AS s(status_class, requests)
WHERE s.requests <> 0
GROUP BY ALL
