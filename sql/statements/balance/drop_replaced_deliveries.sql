-- Answers: removes how an event stood at an endpoint where the same transaction knows better.
-- Grain: one row per event and endpoint in effect_deliveries.
-- Reads: effect_deliveries.
DELETE FROM deliveries
WHERE (event_id, endpoint) IN (SELECT (event_id, endpoint) FROM effect_deliveries);
