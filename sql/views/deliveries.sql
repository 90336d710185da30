-- What was told to whom, when, and what was answered. The words of a message are not kept here.
-- Grain: one row per event × endpoint that was tried; an event that none was tried for has one row, `untried`.
-- Owner: billing/outbox.
-- Reads: lake_deliveries.
-- Read by: people (edgetoll sql), sql/queries/untold_events.sql.
CREATE VIEW deliveries AS
SELECT
    event_id,
    account_id,
    kind,
    happened_at,
    endpoint,
    status,
    attempts,
    first_at,
    next_at,
    answer,
    version,
    invoice_no
FROM lake_deliveries
