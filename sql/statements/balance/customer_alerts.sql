-- Answers: alert rules that customers set themselves (alert_rules.toml): what they watch, measured, and what was told.
-- Grain: each measuring statement gives one row per rule and subject (a period, a plan) that has not been told of yet;
-- a budget's always. Reads: accounts, usage, open_names (session), charges, month_state, account_figures (session),
-- plans, plan_state, alerts_raised.

-- name: make_tables
-- rules_now: one row per rule; period_bounds: one per time zone and period.
CREATE OR REPLACE TEMP TABLE rules_now (
    rule_id VARCHAR, account_id VARCHAR, kind VARCHAR, domain VARCHAR, quantity HUGEINT, period VARCHAR,
    release_hours INTEGER
);
CREATE OR REPLACE TEMP TABLE period_bounds (
    timezone VARCHAR, period VARCHAR, period_start TIMESTAMP, period_end TIMESTAMP, local_month VARCHAR
);

-- name: add_rule
-- One rule of the file.
INSERT INTO rules_now
VALUES ($rule_id, $account_id, $kind, $domain, $quantity, $period, $release_hours);

-- name: zones
-- One row per time zone and period that a rule is measured over.
SELECT DISTINCT a.timezone, r.period
FROM rules_now AS r
INNER JOIN accounts AS a ON r.account_id = a.account_id
ORDER BY ALL;

-- name: add_period_bounds
-- The current period of one time zone, computed by the caller.
INSERT INTO period_bounds VALUES ($timezone, $period, $period_start, $period_end, $local_month);

-- name: measure_requests
-- One row per usage_cap rule and name: HTTPS requests in the rule's period, open hours included.
WITH everything AS (
    SELECT account_id, domain, bucket, requests FROM usage WHERE class = 'https'
    UNION ALL
    SELECT account_id, domain, bucket, requests FROM open_names WHERE class = 'https'
),

counted AS (
    SELECT
        r.rule_id,
        r.account_id,
        r.kind,
        strftime(p.period_start, '%Y-%m-%dT%H:%MZ') || ' ' || e.domain AS subject,
        e.domain,
        SUM(e.requests) AS measured,
        r.quantity AS "limit",
        r.release_hours,
        a.currency,
        '' AS unit
    FROM rules_now AS r
    INNER JOIN accounts AS a ON r.account_id = a.account_id
    INNER JOIN period_bounds AS p ON a.timezone = p.timezone AND r.period = p.period
    INNER JOIN everything AS e
        ON
            r.account_id = e.account_id
            AND (r.domain IS NULL OR r.domain = e.domain)
            AND e.bucket >= p.period_start
            AND e.bucket < p.period_end
    WHERE r.kind = 'usage_cap'
    GROUP BY ALL
)

SELECT c.*
FROM counted AS c
ANTI JOIN alerts_raised AS old ON c.rule_id = old.rule_id AND c.subject = old.subject
ORDER BY c.rule_id, c.subject;

-- name: measure_bills
-- One row per high_bill rule: what the account was charged in the rule's period.
SELECT
    r.rule_id,
    r.account_id,
    r.kind,
    strftime(p.period_start, '%Y-%m-%dT%H:%MZ') AS subject,
    NULL AS domain,
    COALESCE(SUM(c.amount), 0) AS measured,
    r.quantity AS "limit",
    r.release_hours,
    a.currency,
    '' AS unit
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

-- name: measure_budgets
-- One row per budget: what the month was charged so far, credits taken off, and what it is projected to come to: with
-- the open hours, and the mean burn of day and week (billing.balance.forecast) until the month ends. A forecast is cut here.
SELECT
    r.rule_id,
    r.account_id,
    a.currency,
    strftime(p.period_start, '%Y-%m-%dT%H:%MZ') AS month_start,
    p.period_end AS month_end,
    COALESCE(m.amount, 0)::HUGEINT AS spent,
    (
        spent + COALESCE(f.open_amount, 0)
        + GREATEST(0, COALESCE(f.burn_per_hour, 0))
        * GREATEST(0, epoch(p.period_end - $known_through)::BIGINT) // 3600
    )::HUGEINT AS projected,
    r.quantity AS budget,
    COALESCE(t.subjects, []::VARCHAR[]) AS told
FROM rules_now AS r
INNER JOIN accounts AS a ON r.account_id = a.account_id
INNER JOIN period_bounds AS p ON a.timezone = p.timezone AND r.period = p.period
LEFT JOIN account_figures AS f ON r.account_id = f.account_id
LEFT JOIN (
    SELECT account_id, month, SUM(amount) AS amount
    FROM month_state
    WHERE account_id IN (SELECT account_id FROM rules_now)
    GROUP BY ALL
) AS m
    ON r.account_id = m.account_id AND m.month = p.local_month
LEFT JOIN (SELECT rule_id, list(subject) AS subjects FROM alerts_raised GROUP BY rule_id) AS t ON r.rule_id = t.rule_id
WHERE r.kind = 'budget'
ORDER BY r.rule_id;

-- name: measure_plans
-- One row per plan_low rule and valid plan: what is left, and the share below which to tell.
SELECT
    r.rule_id,
    r.account_id,
    r.kind,
    p.plan_id AS subject,
    NULL AS domain,
    p.quantity - COALESCE(s.used, 0) AS measured,
    -- Rounded up: of whole units, those below 1.5 are those below 2.
    (p.quantity * r.quantity + 99) // 100 AS "limit",
    r.release_hours,
    a.currency,
    CASE p.kind WHEN 'data_transfer' THEN 'bytes' ELSE 'requests' END AS unit
FROM rules_now AS r
INNER JOIN accounts AS a ON r.account_id = a.account_id
INNER JOIN plans AS p ON r.account_id = p.account_id
LEFT JOIN plan_state AS s ON p.plan_id = s.plan_id
ANTI JOIN alerts_raised AS old ON r.rule_id = old.rule_id AND p.plan_id = old.subject
WHERE r.kind = 'plan_low' AND p.starts_at <= $now AND p.ends_at > $now
ORDER BY r.rule_id, p.plan_id;

-- name: put_raised
-- One row per crossing in effect_alerts (all text), so that none is told twice.
INSERT INTO alerts_raised
SELECT rule_id, subject, account_id, kind, since::TIMESTAMP, until::TIMESTAMP, domain, event_id, $journal_no
FROM effect_alerts;
