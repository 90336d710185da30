-- Answers: which endpoints are switched off, since when and why.
-- Grain: one row per endpoint.
-- Reads: endpoints_disabled.
SELECT endpoint, disabled_at, reason
FROM endpoints_disabled
ORDER BY endpoint;
