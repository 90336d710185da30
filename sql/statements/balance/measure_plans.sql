-- Answers: what is left of the valid plans of accounts with a plan-low rule, and the share below which to tell.
-- Grain: one row per rule and plan that has not been raised.
-- Reads: rules_now, accounts, plans, plans_left (session, from rating), alerts_raised.
SELECT
    r.rule_id,
    r.account_id,
    r.kind,
    p.plan_id AS subject,
    NULL AS domain,
    l.remaining AS measured,
    -- Rounded up: of whole units, those below 1.5 are those below 2.
    (p.quantity * r.quantity + 99) // 100 AS limit_quantity,
    r.release_hours,
    a.currency,
    CASE p.kind WHEN 'data_transfer' THEN 'bytes' ELSE 'requests' END AS unit
FROM rules_now AS r
INNER JOIN accounts AS a ON r.account_id = a.account_id
INNER JOIN plans AS p ON r.account_id = p.account_id
INNER JOIN plans_left AS l ON p.plan_id = l.plan_id
ANTI JOIN alerts_raised AS old ON r.rule_id = old.rule_id AND p.plan_id = old.subject
WHERE r.kind = 'plan_low' AND p.starts_at <= $now AND p.ends_at > $now
ORDER BY r.rule_id, p.plan_id;
