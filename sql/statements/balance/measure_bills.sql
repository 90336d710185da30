-- Answers: what accounts with a high-bill rule were charged in the rule's present period.
-- Grain: one row per rule that has not been raised for that period.
-- Reads: rules_now, period_bounds, accounts, charges, alerts_raised.
SELECT
    r.rule_id,
    r.account_id,
    r.kind,
    strftime(p.period_start, '%Y-%m-%dT%H:%MZ') AS subject,
    NULL AS domain,
    COALESCE(SUM(c.amount), 0) AS measured,
    r.quantity AS limit_quantity,
    r.release_hours,
    a.currency
FROM rules_now AS r
INNER JOIN accounts AS a ON r.account_id = a.account_id
INNER JOIN period_bounds AS p ON a.timezone = p.timezone AND r.period = p.period
LEFT JOIN charges AS c
    ON r.account_id = c.account_id AND p.period_start <= c.period_start AND p.period_end > c.period_start
LEFT JOIN alerts_raised AS old
    ON r.rule_id = old.rule_id AND old.subject = strftime(p.period_start, '%Y-%m-%dT%H:%MZ')
WHERE r.kind = 'high_bill' AND old.rule_id IS NULL
GROUP BY ALL
ORDER BY r.rule_id;
