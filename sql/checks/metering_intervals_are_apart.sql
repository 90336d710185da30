-- No sequence of an epoch is held twice (FAULTS C3).
-- Grain: one row per stretch that overlaps or touches the one before it.
-- Reads: intervals.
-- Read by: metering/worker/checks.py.
SELECT partition, edge_id, epoch, low, before_high
FROM (
    SELECT
        partition, edge_id, epoch, low, high,
        lag(high) OVER (PARTITION BY partition, edge_id, epoch ORDER BY low) AS before_high
    FROM intervals
) AS stretches
WHERE low > high OR low <= before_high + 1
