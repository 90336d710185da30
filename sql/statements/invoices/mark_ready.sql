-- Answers: marks the time zones whose month may be issued.
-- Grain: one row per time zone in $ready.
-- Reads: invoice_zones.
UPDATE invoice_zones SET is_ready = true
WHERE timezone IN (SELECT unnest($ready::VARCHAR[]));
