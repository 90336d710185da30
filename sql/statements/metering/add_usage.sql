-- Answers: adds the counts of one transaction to the open usage; rows of one key add up when read.
-- Grain: partition x 5-minute bucket x domain x region x class.
-- Reads: flush_rows (Arrow: partition, bucket_ms, domain, region, class, counts).
INSERT INTO usage
SELECT
    partition,
    epoch_ms(bucket_ms),
    nullif(domain, ''),
    region,
    class,
    sum(requests)::BIGINT,
    sum(bytes_sent)::BIGINT,
    sum(status_0xx)::BIGINT,
    sum(status_1xx)::BIGINT,
    sum(status_2xx)::BIGINT,
    sum(status_3xx)::BIGINT,
    sum(status_4xx)::BIGINT,
    sum(status_5xx)::BIGINT,
    sum(cache_hits)::BIGINT
FROM flush_rows
GROUP BY partition, bucket_ms, nullif(domain, ''), region, class
