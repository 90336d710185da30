-- Answers: notes which sources without a promise of completeness have usage in which hour.
-- Grain: partition x hour x source, each once.
-- Reads: noted (Arrow), unproven.
INSERT INTO unproven
SELECT seen.partition, seen.hour_ms, seen.source
FROM noted AS seen
ANTI JOIN unproven AS known
    ON known.partition = seen.partition
    AND known.hour_ms = seen.hour_ms
    AND known.source = seen.source
