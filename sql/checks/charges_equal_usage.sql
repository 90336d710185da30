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

charged AS (
    SELECT
        c.account_id,
        c.item,
        date_trunc('hour', c.period_start) AS hour,
        CAST(sum(c.quantity) AS HUGEINT) AS quantity
    FROM filed_charges AS c
    CROSS JOIN scope AS s
    WHERE
        c.item IN ('https_requests', 'quic_requests', 'http_requests')
        AND c.period_start >= s.first_hour
        AND c.period_start < s.end_hour
    GROUP BY ALL
),

sold AS (
    SELECT DISTINCT account_id, item FROM charged
),

counted AS (
    SELECT u.account_id, u.class || '_requests' AS item, u.hour, sum(u.requests) AS quantity
    FROM usage AS u
    CROSS JOIN seen
    CROSS JOIN scope AS s
    WHERE
        u.import_no <= seen.import_no
        AND u.hour < seen.through_hour
        AND u.hour >= s.first_hour
        AND u.hour < s.end_hour
        AND u.account_id IS NOT NULL
    GROUP BY u.account_id, u.class, u.hour
    HAVING sum(u.requests) <> 0
),

compared AS (
    SELECT
        coalesce(n.account_id, c.account_id) AS account_id,
        coalesce(n.item, c.item) AS item,
        coalesce(n.hour, c.hour) AS hour,
        coalesce(n.quantity, 0) AS counted,
        coalesce(c.quantity, 0) AS charged
    FROM counted AS n
    FULL JOIN charged AS c ON n.account_id = c.account_id AND n.item = c.item AND n.hour = c.hour
    WHERE n.quantity IS DISTINCT FROM c.quantity
)

SELECT p.account_id, p.item, p.hour, p.counted, p.charged
FROM compared AS p
SEMI JOIN sold AS s ON p.account_id = s.account_id AND p.item = s.item
ANTI JOIN replay_marks AS x ON p.account_id = x.account_id
ANTI JOIN rating_held AS h ON p.account_id = h.account_id
WHERE p.counted <> p.charged;
