-- Answers: what billing.duckdb holds of accounts, usage, ledger and runs (private to billing, one writer).
-- Grain: see the line above each table; money is HUGEINT, 10^-10 currency units; times are UTC without zone.
-- Reads: nothing. No PRIMARY KEY: money queries scan, uniqueness is proved by sql/checks (DESIGN §7).

-- One row: the last journal record these tables hold, and its hash.
CREATE TABLE IF NOT EXISTS journal_state (
    last_no BIGINT NOT NULL,
    last_hash VARCHAR NOT NULL
);

-- One row: which layout these tables have (billing.layout); another one is rebuilt from the journal.
CREATE TABLE IF NOT EXISTS store_layout (
    layout VARCHAR NOT NULL
);

-- One row per version of an account; the version in force is the last with effective_from <= now. details: what its
-- documents say besides, a JSON object (billing/accounts/document_fields.py); NULL: nothing.
CREATE TABLE IF NOT EXISTS account_versions (
    account_id VARCHAR NOT NULL,
    effective_from TIMESTAMP NOT NULL,
    name VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    timezone VARCHAR NOT NULL,
    price_book VARCHAR NOT NULL,
    billing_method VARCHAR NOT NULL,
    credit_limit HUGEINT NOT NULL CHECK (credit_limit >= 0),
    grace_hours INTEGER NOT NULL CHECK (grace_hours >= 0),
    suspension_policy VARCHAR NOT NULL CHECK (suspension_policy IN ('confirm', 'auto')),
    tax_rate_bp DECIMAL(9, 2) NOT NULL CHECK (tax_rate_bp BETWEEN 0 AND 10000),
    email VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    tax_id VARCHAR NOT NULL,
    low_balance_threshold HUGEINT,
    opened_at TIMESTAMP NOT NULL,
    closed_at TIMESTAMP,
    details VARCHAR,
    journal_no BIGINT NOT NULL
);

-- One row per account: the version in force at the last record that looked; `journal_no` is the record
-- that put it there.
CREATE TABLE IF NOT EXISTS accounts (
    account_id VARCHAR NOT NULL,
    effective_from TIMESTAMP NOT NULL,
    name VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    timezone VARCHAR NOT NULL,
    price_book VARCHAR NOT NULL,
    billing_method VARCHAR NOT NULL,
    credit_limit HUGEINT NOT NULL,
    grace_hours INTEGER NOT NULL,
    suspension_policy VARCHAR NOT NULL,
    tax_rate_bp DECIMAL(9, 2) NOT NULL,
    email VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    tax_id VARCHAR NOT NULL,
    low_balance_threshold HUGEINT,
    opened_at TIMESTAMP NOT NULL,
    closed_at TIMESTAMP,
    details VARCHAR,
    journal_no BIGINT NOT NULL
);

-- One row per account and change of its basic billing method.
CREATE TABLE IF NOT EXISTS account_methods (
    account_id VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    effective_from TIMESTAMP NOT NULL
);

-- One row per period in which an account owns a domain: an exact name, or `*.name` for one level below it.
CREATE TABLE IF NOT EXISTS domain_ownership (
    ownership_id VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    effective_from TIMESTAMP NOT NULL,
    effective_to TIMESTAMP,
    journal_no BIGINT NOT NULL
);

-- One row per account, and per domain (a name or `*.name`) and account that owns it or did, that has tags: a JSON object
-- of texts. For reports only.
CREATE TABLE IF NOT EXISTS tags (
    kind VARCHAR NOT NULL CHECK (kind IN ('account', 'domain')),
    subject VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    tags VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per plan bought. quantity: bytes (data_transfer) or requests (https_requests). price: what it was sold for; NULL: elsewhere.
-- lasts: how long a period is; renews: the plan is sold again after each, as ID#2, ID#3, …
CREATE TABLE IF NOT EXISTS plans (
    plan_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('data_transfer', 'https_requests')),
    region VARCHAR NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP NOT NULL CHECK (ends_at > starts_at),
    bought_at TIMESTAMP NOT NULL,
    price HUGEINT CHECK (price >= 0),
    lasts VARCHAR,
    renews BOOLEAN,
    journal_no BIGINT NOT NULL
);

-- One row per promotional credit (an amount that pays what its scope names) or commitment (an account's minimum over all
-- items). items, regions: what a credit pays, joined by commas, empty: all; settles: when a commitment does.
CREATE TABLE IF NOT EXISTS agreements (
    agreement_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('credit', 'commitment')),
    amount HUGEINT NOT NULL CHECK (amount > 0),
    items VARCHAR NOT NULL,
    regions VARCHAR NOT NULL,
    priority INTEGER NOT NULL,
    settles VARCHAR NOT NULL CHECK (settles IN ('', 'month', 'term')),
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP CHECK (ends_at > starts_at),
    journal_no BIGINT NOT NULL
);

-- One row per ownership, plan or agreement that another one stands in for since then, and why (DOMAIN §10.16).
CREATE TABLE IF NOT EXISTS replaced_facts (
    kind VARCHAR NOT NULL CHECK (kind IN ('ownership', 'plan', 'agreement')),
    fact_id VARCHAR NOT NULL,
    replaced_by VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per closed-hour file taken in. too_old: kept out of usage until a person accepts it (FAULTS G11).
-- complete_through: every hour of the partition before it is closed or proved empty.
CREATE TABLE IF NOT EXISTS imported_files (
    hour TIMESTAMP NOT NULL,
    partition VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    data_sha256 VARCHAR NOT NULL,
    certificate_sha256 VARCHAR NOT NULL,
    certificate_number BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    bytes_sent BIGINT NOT NULL,
    closed_at TIMESTAMP NOT NULL,
    complete_through TIMESTAMP,
    too_old BOOLEAN NOT NULL,
    certificate VARCHAR NOT NULL,
    import_no BIGINT NOT NULL
);

-- One row per bucket × domain × region × class × file; account_id is NULL while nobody owns the domain. Requests by
-- class of status and cache hits are for reports: no price reads them; NULL where the file does not say.
CREATE TABLE IF NOT EXISTS usage (
    hour TIMESTAMP NOT NULL,
    bucket TIMESTAMP NOT NULL,
    partition VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    account_id VARCHAR,
    domain VARCHAR,
    region VARCHAR NOT NULL,
    class VARCHAR NOT NULL,
    requests BIGINT NOT NULL,
    bytes_sent BIGINT NOT NULL,
    import_no BIGINT NOT NULL,
    status_0xx BIGINT,
    status_1xx BIGINT,
    status_2xx BIGINT,
    status_3xx BIGINT,
    status_4xx BIGINT,
    status_5xx BIGINT,
    status_other BIGINT,
    cache_hits BIGINT
);

-- One row per movement of money that is no charge: a positive amount from the account debited to the account credited.
-- The session's view `transfers` has these and the charges, each of which is its own transfer.
CREATE TABLE IF NOT EXISTS posted_transfers (
    transfer_id VARCHAR NOT NULL,
    debit_account VARCHAR NOT NULL,
    credit_account VARCHAR NOT NULL,
    amount HUGEINT NOT NULL CHECK (amount > 0),
    currency VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    effective_at TIMESTAMP NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    journal_no BIGINT NOT NULL,
    reference VARCHAR NOT NULL
);

-- One row per account and currency: sums of its transfers, kept so that nobody sums the ledger to see a balance.
CREATE TABLE IF NOT EXISTS balances (
    account_id VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    cash HUGEINT NOT NULL,
    vouchers HUGEINT NOT NULL,
    charged HUGEINT NOT NULL
);

-- One row per journal record that charged, or merged the files of several: its file in journal/effects is these charges,
-- which stand nowhere else. The session's view `charges` reads the files. form: `older` of before a file named its run and
-- record itself; `merged`: run_id is blank, each row has its own.
CREATE TABLE IF NOT EXISTS charge_files (
    journal_no BIGINT NOT NULL,
    file VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    run_id VARCHAR NOT NULL,
    form VARCHAR NOT NULL CHECK (form IN ('of a run', 'merged', 'older'))
);

-- One row per record that took the usage of hours before `hours_before` away (billing/prune/usage.py).
CREATE TABLE IF NOT EXISTS pruned_usage (
    hours_before TIMESTAMP NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per record that took the texts of messages told before `told_before` away (billing/prune/messages.py).
CREATE TABLE IF NOT EXISTS pruned_messages (
    told_before TIMESTAMP NOT NULL,
    messages BIGINT NOT NULL,
    journal_no BIGINT NOT NULL
);

-- Of this session only, while records are applied anew: before which hours usage goes by records still to come.
CREATE TEMP TABLE IF NOT EXISTS usage_goes (hours_before TIMESTAMP);

-- Of this session only, while records are applied anew: one row per file of charges that is gone because a later record
-- merged it, and the file that has its rows.
CREATE TEMP TABLE IF NOT EXISTS merged_away (
    file VARCHAR,
    merged_file VARCHAR,
    sha256 VARCHAR
);

-- One row per account whose past a load changed, until a rating run has looked.
CREATE TABLE IF NOT EXISTS replay_marks (
    account_id VARCHAR NOT NULL,
    from_bucket TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per day of usage whose owners changed since the lake was published.
CREATE TABLE IF NOT EXISTS moved_days (
    day DATE NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per rating run that posted, or was held. totals: JSON, per currency and kind of period.
CREATE TABLE IF NOT EXISTS runs (
    run_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    ran_at TIMESTAMP NOT NULL,
    state VARCHAR NOT NULL CHECK (state IN ('done', 'held', 'released', 'superseded')),
    through_hour TIMESTAMP NOT NULL,
    import_no BIGINT NOT NULL,
    charges BIGINT NOT NULL,
    hours BIGINT NOT NULL,
    totals VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);
INSERT INTO journal_state SELECT 0, repeat('0', 64) WHERE NOT EXISTS (FROM journal_state);
