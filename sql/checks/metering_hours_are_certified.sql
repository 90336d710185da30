-- Each closed hour holds what its certificates say, all revisions together.
-- Grain: one row per hour where the store and the certificates differ.
-- Reads: hours, certificates (Arrow: partition, hour_ms, requests).
-- Read by: metering/worker/checks.py.
WITH certified AS (
    SELECT partition, hour_ms, sum(requests) AS requests
    FROM certificates
    GROUP BY partition, hour_ms
)

SELECT h.partition, h.hour_ms, h.requests, c.requests AS certified
FROM hours AS h
LEFT JOIN certified AS c ON c.partition = h.partition AND c.hour_ms = h.hour_ms
WHERE c.requests IS NULL OR c.requests <> h.requests
