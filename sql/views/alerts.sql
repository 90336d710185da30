-- Which of their own limits customers reached: bills, budgets, caps and plans, since when, and until when.
-- Grain: one row per crossing; a budget's share that fell back and was reached again has another one.
-- Owner: billing/balance.
-- Reads: lake_alerts.
-- Read by: people (edgetoll sql), sql/queries/account_at_a_glance.sql.
CREATE VIEW alerts AS
SELECT
    account_id,
    rule_id,
    kind,
    subject,
    since,
    CASE WHEN next_kind LIKE '%_resolved' THEN next_since END AS resolved_at,
    until,
    domain,
    basis,
    percent,
    measured,
    threshold,
    event_id,
    journal_no
FROM (
    SELECT
        a.*,
        lead(kind) OVER steps AS next_kind,
        lead(since) OVER steps AS next_since
    FROM lake_alerts AS a
    WINDOW steps AS (PARTITION BY rule_id, subject ORDER BY journal_no)
)
WHERE kind NOT LIKE '%_resolved'
