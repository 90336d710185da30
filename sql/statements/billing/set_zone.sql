-- Answers: makes UTC the zone of the session, so that no cast depends on the machine.
-- Grain: one session.
-- Reads: nothing.
SET TimeZone = 'UTC';
