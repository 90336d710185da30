-- Answers: how many HTTPS requests names under a usage cap had in the rule's present period, open hours included.
-- Grain: one row per rule and name that has not been raised for that period.
-- Reads: rules_now, period_bounds, accounts, usage, open_names (session), alerts_raised.
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
        r.quantity AS limit_quantity,
        r.release_hours,
        a.currency
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
