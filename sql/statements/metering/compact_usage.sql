-- Answers: the open usage of a partition with the rows of each key added up.
-- Grain: bucket x domain x region x class.
-- Reads: usage.
CREATE OR REPLACE TEMP TABLE compacted AS
SELECT
    partition, bucket, domain, region, class,
    sum(requests)::BIGINT AS requests,
    sum(bytes_sent)::BIGINT AS bytes_sent,
    sum(status_0xx)::BIGINT AS status_0xx,
    sum(status_1xx)::BIGINT AS status_1xx,
    sum(status_2xx)::BIGINT AS status_2xx,
    sum(status_3xx)::BIGINT AS status_3xx,
    sum(status_4xx)::BIGINT AS status_4xx,
    sum(status_5xx)::BIGINT AS status_5xx,
    sum(cache_hits)::BIGINT AS cache_hits
FROM usage
WHERE partition = $partition
GROUP BY partition, bucket, domain, region, class
