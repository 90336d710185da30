-- Answers: switches an endpoint off until a person enables it.
-- Grain: one row.
-- Reads: endpoints_disabled.
INSERT INTO endpoints_disabled
SELECT $endpoint, $disabled_at::TIMESTAMP, $reason, $journal_no::BIGINT
WHERE $endpoint NOT IN (SELECT endpoint FROM endpoints_disabled);
