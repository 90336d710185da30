-- Answers: how accounts stand: whom to judge, what a record takes in, and what others ask.
-- Grain: account_state has the current version per account, account_state_history every one; no row: ok since opened.
-- Reads: account_figures (session), accounts, account_state, account_state_history, outbox, deliveries.

-- name: whom_to_judge
-- One row per account whose state may change, or that is asked for, with all the judge needs to know. The rules are
-- billing/balance/state_rules.py alone; this only leaves out who is ok with more than any rule looks at: the payables of
-- seven hours, those of a day, and the account's own threshold.
SELECT
    f.account_id,
    f.currency,
    f.available,
    f.open_amount,
    f.payable_hour,
    f.payable_7_hours,
    f.payable_24_hours,
    f.payable_168_hours,
    f.payable_day,
    f.hours_known,
    f.burn_per_hour,
    f.zero_in,
    f.zero_in_earliest,
    f.zero_in_latest,
    a.grace_hours,
    a.suspension_policy,
    a.billing_method,
    a.low_balance_threshold,
    COALESCE(s.version, 0) AS version,
    COALESCE(s.state, 'ok') AS state,
    s.since,
    COALESCE(s.reason, '') AS reason,
    s.overdue_since,
    s.overdue_clock,
    s.cause
FROM account_figures AS f
INNER JOIN accounts AS a ON a.account_id = f.account_id
LEFT JOIN account_state AS s ON s.account_id = f.account_id
WHERE
    $everyone
    OR s.state <> 'ok'
    OR LEAST(f.available, f.projected) < GREATEST(0, f.payable_7_hours, f.payable_day, a.low_balance_threshold)
ORDER BY f.account_id;

-- name: current
-- One row, or none for an account that never left ok.
SELECT account_id, version, state, since, reason
FROM account_state
WHERE account_id = $account_id;

-- name: put_history
-- One row per account in effect_states (all text): kept for ever.
INSERT INTO account_state_history
SELECT
    account_id,
    version::BIGINT,
    state,
    previous,
    since::TIMESTAMP,
    reason,
    overdue_since::TIMESTAMP,
    overdue_clock::BIGINT,
    cause,
    decided_by,
    evidence,
    ledger_version::BIGINT,
    $journal_no
FROM effect_states;

-- name: drop_replaced_states
-- The state of an account that gets a new version in the same transaction goes.
DELETE FROM account_state
WHERE account_id IN (SELECT account_id FROM effect_states);

-- name: put_current
-- What the record just put into the history is the account's current state.
INSERT INTO account_state
SELECT h.*
FROM account_state_history AS h
WHERE h.journal_no = $journal_no;

-- name: touched
-- One row per account that a record after $since names: its state, its money or its terms, also
-- those that only came into force by then.
SELECT account_id FROM account_state WHERE journal_no > $since
UNION
SELECT account_id FROM posted_transfers WHERE journal_no > $since
UNION
SELECT account_id FROM account_versions WHERE journal_no > $since
UNION
SELECT account_id FROM accounts WHERE journal_no > $since
LIMIT $most;

-- name: not_ok
-- One row per account that is not ok, for the daily message.
SELECT account_id, version, state, since
FROM account_state
WHERE state <> 'ok'
ORDER BY account_id;

-- name: unowned_names
-- One row per name that nobody owns, the largest first; NULL: those that metering folded into one.
SELECT domain, SUM(requests)::BIGINT AS requests
FROM usage
WHERE account_id IS NULL AND hour >= $since
GROUP BY domain
ORDER BY requests DESC, domain
LIMIT $most;

-- name: counts
-- One row per state other than ok, for the metrics.
SELECT state, COUNT(*) AS accounts
FROM account_state
WHERE state <> 'ok'
GROUP BY state
ORDER BY state;

-- name: told
-- One row per account and endpoint: where the event of its current state went, or waits to go.
SELECT
    s.account_id,
    s.version,
    replace(d.endpoint, 'webhook:', '') AS endpoint,
    d.status,
    d.attempts
FROM account_state AS s
INNER JOIN outbox AS o ON s.account_id = o.account_id AND s.version = o.version AND o.kind LIKE 'account.%'
INNER JOIN deliveries AS d ON o.event_id = d.event_id
WHERE
    s.account_id IN (SELECT unnest($accounts))
    AND d.status <> 'superseded'
    AND d.answer NOT LIKE 'not %'
ORDER BY s.account_id, d.endpoint;
