-- Answers: how many events wait at each endpoint.
-- Grain: one row per endpoint with a waiting event.
-- Reads: deliveries.
SELECT endpoint, COUNT(*) AS waiting
FROM deliveries
WHERE status = 'waiting'
GROUP BY endpoint
ORDER BY endpoint;
