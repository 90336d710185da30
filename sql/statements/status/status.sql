-- What `edgetoll status` and the metrics ask of the billing store: how far it is, what it holds back,
-- which traffic nobody pays for, which months no invoice has, which receivers do not answer.
-- Everything here reads; nothing is kept.

-- name: billing_facts
-- One row: the last run, what is held back and why.
WITH last_run AS (
    SELECT run_id, state, through_hour
    FROM runs
    WHERE kind = 'rating_run'
    ORDER BY journal_no DESC
    LIMIT 1
),

held_run AS (
    SELECT run_id, reason FROM runs WHERE state = 'held' ORDER BY journal_no DESC LIMIT 1
),

too_old AS (
    SELECT
        count(*) AS files,
        CAST(coalesce(sum(requests), 0) AS BIGINT) AS requests,
        min(hour) AS first_hour
    FROM imported_files
    WHERE too_old
)

SELECT
    (SELECT coalesce(max(last_no), 0) FROM journal_state) AS journal_no,
    (SELECT run_id FROM last_run) AS last_run,
    (SELECT state FROM last_run) AS last_state,
    (SELECT max(through_hour) FROM runs WHERE state IN ('done', 'released')) AS rated_through,
    (
        SELECT min(complete_through) FROM (
            SELECT arg_max(complete_through, certificate_number) AS complete_through
            FROM imported_files
            GROUP BY partition
        )
    ) AS imported_through,
    (SELECT run_id FROM held_run) AS held_run,
    (SELECT reason FROM held_run) AS held_reason,
    t.files AS too_old_files,
    t.requests AS too_old_requests,
    t.first_hour AS too_old_first,
    (SELECT count(*) FROM rating_held) AS unpriced_hours,
    (
        SELECT min(account_id || ' ' || strftime(hour, '%Y-%m-%dT%H:%MZ') || ': ' || problem)
        FROM rating_held
    ) AS unpriced,
    (SELECT max(unverified) FROM balance_clock) AS unverified,
    (SELECT max(hours_before) FROM pruned_usage) AS usage_kept_from,
    (SELECT max(told_before) FROM pruned_messages) AS texts_kept_from,
    (SELECT max(recorded_at) FROM posted_transfers) AS newest_transfer
FROM too_old AS t;

-- name: incomplete_hours
-- One row per partition's hour from $since until $until whose newest certificate says that an edge was missing.
SELECT
    hour,
    partition,
    array_to_string(
        from_json(arg_max(certificate, revision) -> 'missing_edges', '["VARCHAR"]'), ', '
    ) AS missing
FROM imported_files
WHERE hour >= CAST($since AS TIMESTAMP) AND hour < CAST($until AS TIMESTAMP)
GROUP BY hour, partition
HAVING arg_max(state, revision) = 'incomplete'
ORDER BY hour, partition;

-- name: unowned_since
-- One row: from when to look, at most a month back and at most so much usage that it takes no time.
WITH hours AS (
    SELECT
        hour,
        sum(sum(rows)) OVER (ORDER BY hour DESC) AS rows_since
    FROM imported_files
    WHERE NOT too_old
    GROUP BY hour
)

SELECT min(hour) AS since
FROM hours
WHERE
    rows_since <= 50000000
    AND hour >= (SELECT max(hour) FROM hours) - INTERVAL 31 DAY;

-- name: unowned_names
-- One row per name that nobody owned, the ten largest, with what all of them come to; names that
-- metering folded together have a blank one.
WITH names AS (
    SELECT coalesce(domain, '') AS domain, CAST(sum(requests) AS BIGINT) AS requests
    FROM usage
    WHERE
        account_id IS NULL
        AND hour >= CAST($since AS TIMESTAMP)
        AND hour < CAST($until AS TIMESTAMP)
    GROUP BY ALL
)

SELECT
    domain,
    requests,
    CAST(sum(requests) OVER () AS BIGINT) AS all_unowned,
    count(*) OVER () AS names
FROM names
WHERE requests > 0
ORDER BY requests DESC, domain
LIMIT 10;

-- name: all_requests
-- One row: the requests of the same hours, owned or not.
SELECT CAST(coalesce(sum(requests), 0) AS BIGINT) AS requests
FROM imported_files
WHERE NOT too_old AND hour >= CAST($since AS TIMESTAMP) AND hour < CAST($until AS TIMESTAMP);

-- name: unissued_months
-- One row per account and month that cost something and stands on no invoice, though the month was over before
-- $month_before and invoices of it or of a later one were issued. Void ones are a person's decision.
SELECT
    m.account_id,
    m.month
FROM month_state AS m
ANTI JOIN issued_months AS i ON m.account_id = i.account_id AND m.month = i.month
ANTI JOIN invoices AS v ON m.account_id = v.account_id AND m.month = v.month AND v.kind = 'invoice'
WHERE m.month < $month_before AND m.month <= (SELECT max(month) FROM issued_months)
GROUP BY m.account_id, m.month
HAVING sum(m.amount) <> 0
ORDER BY m.month, m.account_id;

-- name: known_accounts
-- One row per account of a list that the store knows.
SELECT account_id
FROM accounts
WHERE account_id IN (SELECT unnest($accounts::VARCHAR[]));
