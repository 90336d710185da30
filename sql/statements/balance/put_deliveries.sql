-- Answers: remembers how sending went.
-- Grain: one row per event and endpoint in effect_deliveries.
-- Reads: effect_deliveries (the record's effect, all text).
INSERT INTO deliveries
SELECT
    event_id, endpoint, status, attempts::INTEGER, first_at::TIMESTAMP, next_at::TIMESTAMP, answer, $journal_no
FROM effect_deliveries;
