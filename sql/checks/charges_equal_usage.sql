-- What was charged per account, hour and request item is what was counted, over all revisions (FAULTS P2).
-- Grain: one row per account, item and hour that differs; what no run has looked at yet is left out.
-- Reads: filed_charges, usage, runs, replay_marks, rating_held, pruned_usage (what was charged for usage that is gone is left out).
-- Read by: billing/checks/invariants.py.
WITH seen AS (
    SELECT max(import_no) AS import_no, max(through_hour) AS through_hour
    FROM runs
    WHERE state IN ('done', 'released')
),

scope AS (
    SELECT
        greatest(
            date_trunc('hour', min(period_start)),
            coalesce((SELECT max(hours_before) FROM pruned_usage), TIMESTAMP '1970-01-01')
        ) AS first_hour,
        date_trunc('hour', max(period_start)) + INTERVAL 1 HOUR AS end_hour
    FROM filed_charges
    WHERE
        journal_no > $after AND item IN ('https_requests', 'quic_requests', 'http_requests')
),

-- Both sides are added up at once, as Parquet keeps whole numbers: of nearly all rows nothing else is asked.
compared AS (
    SELECT account_id, item, hour, sum(counted) AS counted, sum(charged) AS charged
    FROM (
        SELECT
            c.account_id,
            c.item,
            date_trunc('hour', c.period_start) AS hour,
            CAST(0 AS DECIMAL(38, 0)) AS counted,
            c.quantity AS charged
        FROM filed_charges AS c
        CROSS JOIN scope AS s
        WHERE
            c.item IN ('https_requests', 'quic_requests', 'http_requests')
            AND c.period_start >= s.first_hour
            AND c.period_start < s.end_hour
        UNION ALL
        SELECT
            u.account_id,
            u.class || '_requests' AS item,
            u.hour,
            CAST(u.requests AS DECIMAL(38, 0)) AS counted,
            CAST(0 AS DECIMAL(38, 0)) AS charged
        FROM usage AS u
        CROSS JOIN seen
        CROSS JOIN scope AS s
        WHERE
            u.import_no <= seen.import_no
            AND u.hour < seen.through_hour
            AND u.hour >= s.first_hour
            AND u.hour < s.end_hour
            AND u.account_id IS NOT NULL
    )
    GROUP BY account_id, item, hour
    HAVING sum(counted) <> sum(charged)
),

sold AS (
    SELECT DISTINCT c.account_id, c.item
    FROM filed_charges AS c
    CROSS JOIN scope AS s
    SEMI JOIN compared AS p ON c.account_id = p.account_id AND c.item = p.item
    WHERE c.period_start >= s.first_hour AND c.period_start < s.end_hour
)

SELECT
    p.account_id,
    p.item,
    p.hour,
    CAST(p.counted AS HUGEINT) AS counted,
    CAST(p.charged AS HUGEINT) AS charged
FROM compared AS p
SEMI JOIN sold AS s ON p.account_id = s.account_id AND p.item = s.item
ANTI JOIN replay_marks AS x ON p.account_id = x.account_id
ANTI JOIN rating_held AS h ON p.account_id = h.account_id;
