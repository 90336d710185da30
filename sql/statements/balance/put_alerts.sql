-- Answers: remembers the crossings of one record, so that none is told twice.
-- Grain: one row per crossing in effect_alerts.
-- Reads: effect_alerts (the record's effect, all text).
INSERT INTO alerts_raised
SELECT rule_id, subject, account_id, kind, since::TIMESTAMP, until::TIMESTAMP, domain, event_id, $journal_no
FROM effect_alerts;
