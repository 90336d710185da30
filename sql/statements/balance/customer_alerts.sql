-- Answers: alert rules that customers set themselves (alert_rules.toml): what they watch, measured, and what was told.
-- Grain: each measuring statement gives one row per rule and subject (a period, a plan) that has not been told of yet;
-- a budget's always. Reads: accounts, usage, open_names (session), charges, month_state, account_figures (session),
-- plans, plan_state, alerts_raised, agreements, price_cards, rating_settling (session).

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

-- name: whose_month_settles
-- One row per account with a budget whose month may end with more than usage: a commitment, or a card with a minimum or a fee.
SELECT DISTINCT r.account_id, p.period_end AS month_end
FROM rules_now AS r
INNER JOIN accounts AS a ON r.account_id = a.account_id
INNER JOIN period_bounds AS p ON a.timezone = p.timezone AND r.period = p.period
WHERE
    r.kind = 'budget'
    AND (
        r.account_id IN (SELECT account_id FROM agreements WHERE kind = 'commitment')
        OR a.price_book IN (SELECT book FROM price_cards WHERE coalesce(minimum, 0) > 0 OR flat_fee > 0)
    )
ORDER BY r.account_id;

-- name: nothing_settles
-- The same as rating leaves it, of nobody.
CREATE OR REPLACE TEMP TABLE rating_settling (
    account_id VARCHAR, month VARCHAR, item VARCHAR, region VARCHAR, rate_card VARCHAR, term VARCHAR, amount HUGEINT
);

-- name: measure_budgets
-- One row per budget: what the month was charged so far, credits taken off, and what it is projected to come to: with the open
-- hours, the mean burn of day and week (billing.balance.forecast) until the month ends, and what rating says settles by then if
-- nothing more is used. Usage to come makes less missing to minimums (in proportion to what each item was charged so far) and,
-- by what they leave of it, to commitments. A forecast is cut here.
WITH months AS (
    SELECT r.rule_id, r.account_id, p.local_month AS month, p.period_start, p.period_end,
        greatest(0, coalesce(f.open_amount, 0) + greatest(0, coalesce(f.burn_per_hour, 0))
            * greatest(0, epoch(p.period_end - $known_through)::BIGINT) // 3600)::HUGEINT AS to_come
    FROM rules_now AS r
    INNER JOIN accounts AS a ON r.account_id = a.account_id
    INNER JOIN period_bounds AS p ON a.timezone = p.timezone AND r.period = p.period
    LEFT JOIN account_figures AS f ON r.account_id = f.account_id
    WHERE r.kind = 'budget'
),

lanes AS (
    SELECT m.rule_id, m.to_come, s.item, s.region, greatest(0, sum(s.usage))::HUGEINT AS used, sum(s.minimum)::HUGEINT AS minimum
    FROM months AS m
    INNER JOIN (
        SELECT account_id, month, item, region, 0::HUGEINT AS usage, amount AS minimum FROM rating_settling WHERE term = 'minimum'
        UNION ALL
        SELECT account_id, month, item, region, amount, 0 FROM month_state WHERE NOT contains(rate_card, '/')
    ) AS s ON m.account_id = s.account_id AND m.month = s.month
    GROUP BY ALL
),

shared AS (
    SELECT *, CASE WHEN sum(used) OVER whose = 0 THEN to_come ELSE to_come * used // sum(used) OVER whose END AS lane_to_come
    FROM lanes
    WINDOW whose AS (PARTITION BY rule_id)
),

-- covered: what usage to come takes off what is missing to minimums.
minimums AS (
    SELECT rule_id, sum(least(greatest(0, minimum), lane_to_come)) AS covered FROM shared GROUP BY rule_id
),

settled AS (
    SELECT
        m.rule_id,
        sum(CASE WHEN s.term = 'commitment' THEN greatest(0, s.amount - m.to_come + coalesce(i.covered, 0)) ELSE s.amount END) AS amount
    FROM months AS m
    INNER JOIN rating_settling AS s ON m.account_id = s.account_id AND m.month = s.month
    LEFT JOIN minimums AS i ON m.rule_id = i.rule_id
    GROUP BY m.rule_id
)

SELECT
    r.rule_id,
    r.account_id,
    a.currency,
    strftime(p.period_start, '%Y-%m-%dT%H:%MZ') AS month_start,
    p.period_end AS month_end,
    COALESCE(m.amount, 0)::HUGEINT AS spent,
    (spent + p.to_come + COALESCE(s.amount, 0) - COALESCE(i.covered, 0))::HUGEINT AS projected,
    r.quantity AS budget,
    COALESCE(t.subjects, []::VARCHAR[]) AS told
FROM rules_now AS r
INNER JOIN accounts AS a ON r.account_id = a.account_id
INNER JOIN months AS p ON r.rule_id = p.rule_id
LEFT JOIN settled AS s ON r.rule_id = s.rule_id
LEFT JOIN minimums AS i ON r.rule_id = i.rule_id
LEFT JOIN (
    SELECT account_id, month, SUM(amount) AS amount
    FROM month_state
    WHERE account_id IN (SELECT account_id FROM rules_now)
    GROUP BY ALL
) AS m
    ON r.account_id = m.account_id AND m.month = p.month
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
