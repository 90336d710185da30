-- Answers: the state of each account, since when and why, who must be told and who has been told.
-- Grain: see the line above each table; amounts are HUGEINT, 10^-10 currency units; times are UTC without zone.
-- Reads: nothing. All of it is written by journal records of the kinds in billing/balance and billing/outbox.

-- One row per account that ever left `ok`: its current state. No row means ok since it was opened.
CREATE TABLE IF NOT EXISTS account_state (
    account_id VARCHAR NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    state VARCHAR NOT NULL,
    previous VARCHAR NOT NULL,
    since TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL,
    overdue_since TIMESTAMP,
    overdue_clock BIGINT,
    cause VARCHAR,
    decided_by VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL,
    ledger_version BIGINT NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per account and version: every state it ever had.
CREATE TABLE IF NOT EXISTS account_state_history (
    account_id VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    previous VARCHAR NOT NULL,
    since TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL,
    overdue_since TIMESTAMP,
    overdue_clock BIGINT,
    cause VARCHAR,
    decided_by VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL,
    ledger_version BIGINT NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row: the clock that grace is measured by, and whether figures may be trusted since `judged_at`.
-- verified_until: trust ends then by itself, unless usage and payments are imported before.
CREATE TABLE IF NOT EXISTS balance_clock (
    judged_at TIMESTAMP NOT NULL,
    verified_seconds BIGINT NOT NULL CHECK (verified_seconds >= 0),
    verified_until TIMESTAMP,
    unverified VARCHAR,
    unverified_since TIMESTAMP,
    usage_through TIMESTAMP,
    payments_through TIMESTAMP,
    journal_no BIGINT NOT NULL
);

-- One row per rule and subject (a period, a plan) that went over its limit: one crossing is one event.
-- domain and until: what a usage cap keeps off the edges, and until when; NULL: nothing is stopped.
CREATE TABLE IF NOT EXISTS alerts_raised (
    rule_id VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    since TIMESTAMP NOT NULL,
    until TIMESTAMP,
    domain VARCHAR,
    event_id VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per event ever decided; the id is its identity for all receivers and for ever.
CREATE TABLE IF NOT EXISTS outbox (
    event_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    body VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per event and endpoint that has been tried: how it went and when to try again.
CREATE TABLE IF NOT EXISTS deliveries (
    event_id VARCHAR NOT NULL,
    endpoint VARCHAR NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('waiting', 'delivered', 'given_up', 'superseded')),
    attempts INTEGER NOT NULL,
    first_at TIMESTAMP NOT NULL,
    next_at TIMESTAMP,
    answer VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per endpoint that was switched off (410, or 75 hours without an answer) until a person enables it.
CREATE TABLE IF NOT EXISTS endpoints_disabled (
    endpoint VARCHAR NOT NULL,
    disabled_at TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per account that was charged something in the last 168 rated hours: how much in the last one, 7, 24 and all.
CREATE TABLE IF NOT EXISTS account_burn (
    account_no INTEGER NOT NULL,
    payable_hour HUGEINT NOT NULL,
    payable_7_hours HUGEINT NOT NULL,
    payable_24_hours HUGEINT NOT NULL,
    payable_168_hours HUGEINT NOT NULL
);

-- Of this session only: what the hours still open hold and will cost, and which live files that was made from.
CREATE TEMP TABLE IF NOT EXISTS open_value (account_id VARCHAR, amount HUGEINT);
CREATE TEMP TABLE IF NOT EXISTS open_names (
    account_id VARCHAR,
    domain VARCHAR,
    bucket TIMESTAMP,
    region VARCHAR,
    class VARCHAR,
    requests BIGINT,
    bytes_sent BIGINT
);
CREATE TEMP TABLE IF NOT EXISTS open_made_from (live_files VARCHAR, known_through TIMESTAMP);

-- One row per account, of this session only: the figures that states and the lake are made from, forecast included
-- (seconds until the projected amount is spent; NULL: not within a year).
CREATE TEMP TABLE IF NOT EXISTS account_figures (
    account_id VARCHAR,
    currency VARCHAR,
    available HUGEINT,
    open_amount HUGEINT,
    projected HUGEINT,
    payable_hour HUGEINT,
    payable_7_hours HUGEINT,
    payable_24_hours HUGEINT,
    payable_168_hours HUGEINT,
    payable_day HUGEINT,
    hours_known BIGINT,
    burn_per_hour HUGEINT,
    zero_in BIGINT,
    zero_in_earliest BIGINT,
    zero_in_latest BIGINT
);
