-- The shape of lake_account_states where billing has not published yet.
-- Grain: one row per account.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_account_states (
    account_id VARCHAR,
    state VARCHAR,
    since TIMESTAMP,
    available DECIMAL(38, 10),
    projected DECIMAL(38, 10),
    currency VARCHAR,
    projected_zero_at TIMESTAMP,
    unverified BOOLEAN,
    reason VARCHAR,
    version BIGINT,
    cause VARCHAR,
    burn_per_hour DECIMAL(38, 10),
    open_amount DECIMAL(38, 10),
    grace_hours INTEGER,
    usage_through TIMESTAMP,
    ledger_version BIGINT,
    projected_zero_earliest TIMESTAMP,
    projected_zero_latest TIMESTAMP
)
