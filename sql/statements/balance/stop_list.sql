-- Answers: which domains edges must not serve now: all names of stopped accounts, and names over a usage cap.
-- Grain: one row per domain; a wildcard stands for one level below it.
-- Reads: account_state, domain_ownership, alerts_raised.

-- name: stopped_domains
-- One row per domain; arrears before administrative before cap.
WITH owned AS (
    SELECT domain, account_id
    FROM domain_ownership
    WHERE effective_from <= $now AND (effective_to IS NULL OR effective_to > $now)
),

stopped AS (
    SELECT o.domain, s.account_id, s.cause, s.since, NULL::TIMESTAMP AS until, s.version
    FROM account_state AS s
    INNER JOIN owned AS o ON s.account_id = o.account_id
    WHERE s.state IN ('suspended', 'released')
    UNION ALL
    SELECT a.domain, a.account_id, 'usage_cap', a.since, a.until, 0 AS version
    FROM alerts_raised AS a
    WHERE a.domain IS NOT NULL AND a.since <= $now AND a.until > $now
),

-- A stopped wildcard must not take along a name under it that somebody else owns.
excepted AS (
    SELECT s.domain, list(DISTINCT o.domain ORDER BY o.domain) AS names
    FROM stopped AS s
    INNER JOIN owned AS o
        ON s.domain[3:] = o.domain[instr(o.domain, '.') + 1:]
        AND o.account_id <> s.account_id
    WHERE starts_with(s.domain, '*.')
        AND NOT starts_with(o.domain, '*.')
        AND o.domain NOT IN (SELECT domain FROM stopped)
    GROUP BY s.domain
)

SELECT
    s.domain, s.account_id, s.cause, s.since, s.until, s.version,
    coalesce(e.names, []::VARCHAR[]) AS except_names
FROM stopped AS s
LEFT JOIN excepted AS e ON e.domain = s.domain
QUALIFY row_number() OVER (
    PARTITION BY s.domain
    ORDER BY CASE s.cause WHEN 'arrears' THEN 0 WHEN 'administrative' THEN 1 ELSE 2 END, s.since DESC
) = 1
ORDER BY s.domain;
