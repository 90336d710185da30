-- Answers: which domains made the quantity behind one invoice line.
-- Grain: one row per domain × class × edge region.
-- Reads: usage, explained_periods. $labels: the edge regions the line's billing region stands for, NULL for all.
SELECT
    usage.domain,
    usage.class,
    usage.region,
    CAST(sum(usage.requests) AS BIGINT) AS requests,
    CAST(sum(usage.bytes_sent) AS BIGINT) AS bytes_sent,
    count(DISTINCT usage.hour) AS hours
FROM usage
INNER JOIN explained_periods AS periods
    ON usage.bucket >= periods.period_start
    AND usage.bucket < periods.period_end
WHERE
    usage.account_id = $account_id
    AND usage.class IN (SELECT unnest($classes::VARCHAR[]))
    AND ($labels IS NULL OR usage.region IN (SELECT unnest($labels::VARCHAR[])))
GROUP BY usage.domain, usage.class, usage.region
ORDER BY requests DESC, usage.domain, usage.class, usage.region;
