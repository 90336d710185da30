-- Answers: the counts of the accepted JSON events of a flush.
-- Grain: region x 5-minute bucket x domain x class.
-- Reads: json_judged.
SELECT
    region,
    time_ms // 300000 * 300000 AS bucket_ms,
    domain,
    class_code,
    count(*)::BIGINT AS requests,
    sum(bytes_sent)::BIGINT AS bytes_sent,
    count(*) FILTER (WHERE status // 100 = 0)::BIGINT AS status_0xx,
    count(*) FILTER (WHERE status // 100 = 1)::BIGINT AS status_1xx,
    count(*) FILTER (WHERE status // 100 = 2)::BIGINT AS status_2xx,
    count(*) FILTER (WHERE status // 100 = 3)::BIGINT AS status_3xx,
    count(*) FILTER (WHERE status // 100 = 4)::BIGINT AS status_4xx,
    count(*) FILTER (WHERE status // 100 = 5)::BIGINT AS status_5xx,
    count(*) FILTER (WHERE cache = 1)::BIGINT AS cache_hits
FROM json_judged
WHERE verdict = 'accepted'
GROUP BY ALL
ORDER BY region, bucket_ms, domain, class_code
