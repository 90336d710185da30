-- Which domains answer with errors?
-- Grain: one row per domain.
-- Reads: usage_by_status.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month asked about, UTC
-- Parameter top (number, 20): how many rows at most
-- Chart: bar, domain, server_errors
SELECT
    domain,
    account_id,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(coalesce(sum(requests) FILTER (WHERE status_class = '4xx'), 0) AS BIGINT) AS client_errors,
    CAST(coalesce(sum(requests) FILTER (WHERE status_class = '5xx'), 0) AS BIGINT) AS server_errors,
    CAST(1000 * coalesce(sum(requests) FILTER (WHERE status_class = '5xx'), 0) // sum(requests) AS BIGINT)
        AS server_errors_permille
FROM usage_by_status
WHERE strftime(hour, '%Y-%m') = $month
GROUP BY domain, account_id
ORDER BY server_errors DESC, client_errors DESC, domain
LIMIT $top
