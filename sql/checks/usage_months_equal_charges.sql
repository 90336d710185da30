-- Each account's month in usage_monthly is what was charged for it: the views and the bills know one time zone.
-- Grain: one row per account, month and request item that differs; what is still to be rated again is left out.
-- Reads: the lake: lake_usage_5min, lake_imported_files (months with pruned hours are left out), lake_accounts,
-- lake_zone_offsets, charges, runs; $waiting: accounts left out.
-- Read by: billing/commands/compare.py.
WITH seen AS (
    SELECT max(import_no) AS import_no, max(through_hour) AS through_hour
    FROM runs
    WHERE state IN ('done', 'released')
),

counted AS (
    SELECT
        u.account_id,
        u.class || '_requests' AS item,
        strftime(u.bucket + to_seconds(o.offset_seconds), '%Y-%m') AS month,
        sum(u.requests) AS requests
    FROM lake_usage_5min AS u
    CROSS JOIN seen
    INNER JOIN lake_accounts AS a ON u.account_id = a.account_id
    INNER JOIN lake_zone_offsets AS o
        ON a.timezone = o.zone AND u.bucket >= o.from_utc AND u.bucket < o.until_utc
    WHERE u.import_no <= seen.import_no AND u.hour < seen.through_hour
    GROUP BY ALL
    HAVING sum(u.requests) <> 0
),

charged AS (
    SELECT account_id, item, month, sum(quantity) AS quantity
    FROM charges
    WHERE item IN ('https_requests', 'quic_requests', 'http_requests')
    GROUP BY account_id, item, month
    HAVING sum(quantity) <> 0
),

sold AS (
    SELECT DISTINCT account_id, item FROM charged
)

SELECT
    coalesce(n.account_id, c.account_id) AS account_id,
    coalesce(n.item, c.item) AS item,
    coalesce(n.month, c.month) AS month,
    coalesce(n.requests, 0) AS counted,
    coalesce(c.quantity, 0) AS charged
FROM counted AS n
FULL JOIN charged AS c ON n.account_id = c.account_id AND n.item = c.item AND n.month = c.month
SEMI JOIN sold AS s
    ON coalesce(n.account_id, c.account_id) = s.account_id AND coalesce(n.item, c.item) = s.item
WHERE
    n.requests IS DISTINCT FROM c.quantity
    AND coalesce(n.month, c.month) > coalesce(
        (SELECT strftime(max(hour), '%Y-%m') FROM lake_imported_files WHERE pruned), ''
    )
    AND NOT list_contains(CAST($waiting AS VARCHAR[]), coalesce(n.account_id, c.account_id))
ORDER BY account_id, month, item;
