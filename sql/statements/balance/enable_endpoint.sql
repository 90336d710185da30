-- Answers: switches an endpoint on again.
-- Grain: one row.
-- Reads: endpoints_disabled.
DELETE FROM endpoints_disabled
WHERE endpoint = $endpoint;
