-- What was not counted and why: nothing is lost, it waits there.
-- Grain: one row per reason × edge or source.
-- Owner: metering.
-- Reads: live_quarantine.
-- Read by: people (edgetoll sql).
CREATE VIEW quarantine AS
SELECT
    reason,
    source,
    CAST(sum(records) AS BIGINT) AS records,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM live_quarantine
GROUP BY reason, source
