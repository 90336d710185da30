-- Customers' own alerts: each crossing of a rule, and each budget that fell back below a share.
-- Grain: one row per rule × subject (a period, a plan, a budget's share) × time that it was told of.
-- Reads: alerts_raised, outbox.
-- Read by: sql/views/alerts.sql.
SELECT
    a.rule_id,
    a.account_id,
    a.kind,
    a.subject,
    a.since,
    a.until,
    a.domain,
    json_extract_string(o.body, '$.data.basis') AS basis,
    CAST(json_extract_string(o.body, '$.data.percent') AS INTEGER) AS percent,
    CAST(json_extract_string(o.body, '$.data.measured') AS DECIMAL(38, 10)) AS measured,
    CAST(json_extract_string(o.body, '$.data.limit') AS DECIMAL(38, 10)) AS threshold,
    a.event_id,
    a.journal_no
FROM alerts_raised AS a
LEFT JOIN outbox AS o ON a.event_id = o.event_id
ORDER BY a.journal_no, a.rule_id, a.subject;
