-- Answers: puts the compacted usage in the place of the rows it was made of.
-- Grain: bucket x domain x region x class.
-- Reads: compacted (temporary).
INSERT INTO usage
SELECT
    partition, bucket, domain, region, class, requests, bytes_sent, status_0xx, status_1xx,
    status_2xx, status_3xx, status_4xx, status_5xx, cache_hits
FROM compacted
