-- Answers: makes the session's list of endpoints that the settings name now.
-- Grain: one row per endpoint.
-- Reads: nothing.
CREATE OR REPLACE TEMP TABLE endpoints_now (endpoint VARCHAR);
