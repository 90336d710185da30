-- Who is about to lose service, why and when: each account's state with the money it rests on.
-- Grain: one row per account.
-- Owner: billing/balance.
-- Reads: lake_account_states.
-- Read by: people (edgetoll sql).
CREATE VIEW account_states AS
SELECT
    account_id,
    state,
    -- Of an account that never left ok, its opening; null where that is not known (accounts.opened_at).
    CASE WHEN since > TIMESTAMP '2000-01-01' THEN since END AS since,
    available,
    projected,
    currency,
    projected_zero_at,
    unverified,
    reason,
    version,
    cause,
    burn_per_hour,
    open_amount,
    grace_hours,
    usage_through,
    ledger_version,
    projected_zero_earliest,
    projected_zero_latest
FROM lake_account_states
