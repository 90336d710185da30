-- Answers: what rating keeps between runs: month-to-date, plans used, hours held, prices seen.
-- Grain: see the line above each table; money and quantities are HUGEINT, times are UTC without zone.
-- Reads: nothing. Private to billing.duckdb; uniqueness is proved by sql/checks/rating_*.sql.

-- One row per account, and per month × item × region × rate card that was ever charged: its number in month_sums.
CREATE TABLE IF NOT EXISTS month_accounts (
    account_no INTEGER NOT NULL,
    account_id VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS month_lanes (
    lane_no INTEGER NOT NULL,
    month VARCHAR NOT NULL,
    item VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    rate_card VARCHAR NOT NULL
);

-- One row per account × lane: the sums of its charges, every revision included; month_state below shows it with names.
-- place_from: the month-cumulative billable quantity where this card's part begins.
-- numerator / denominator: the exact usage amount before flat fee, cap and floor, in 10^-10 units.
-- flat_fee, maximum (below zero), minimum: what of amount these terms make, by the charges of their name.
-- In 64 bits, which are written in a third of the time of 128; a row with a number that does not fit stands in month_sums_large.
CREATE TABLE IF NOT EXISTS month_sums (
    account_no INTEGER NOT NULL,
    lane_no INTEGER NOT NULL,
    free_quantity BIGINT NOT NULL,
    plan_quantity BIGINT NOT NULL,
    billable_quantity BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    place_from BIGINT NOT NULL,
    numerator HUGEINT NOT NULL,
    denominator HUGEINT NOT NULL,
    flat_fee BIGINT NOT NULL,
    maximum BIGINT NOT NULL,
    minimum BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS month_sums_large (
    account_no INTEGER NOT NULL,
    lane_no INTEGER NOT NULL,
    free_quantity HUGEINT NOT NULL,
    plan_quantity HUGEINT NOT NULL,
    billable_quantity HUGEINT NOT NULL,
    amount HUGEINT NOT NULL,
    place_from HUGEINT NOT NULL,
    numerator HUGEINT NOT NULL,
    denominator HUGEINT NOT NULL,
    flat_fee HUGEINT NOT NULL,
    maximum HUGEINT NOT NULL,
    minimum HUGEINT NOT NULL
);

-- One row per account × lane of both, in 128 bits.
CREATE OR REPLACE TEMP VIEW month_numbers AS
FROM month_sums_large
UNION ALL
FROM month_sums;

-- One row per account × month × item × region × rate card: the month so far.
CREATE OR REPLACE TEMP VIEW month_state AS
SELECT
    a.account_id,
    l.month,
    l.item,
    l.region,
    l.rate_card,
    s.free_quantity + s.plan_quantity + s.billable_quantity AS quantity,
    s.free_quantity,
    s.plan_quantity,
    s.billable_quantity,
    s.amount,
    s.place_from,
    s.numerator,
    s.denominator,
    s.flat_fee,
    s.maximum,
    s.minimum
FROM month_numbers AS s
INNER JOIN month_accounts AS a ON s.account_no = a.account_no
INNER JOIN month_lanes AS l ON s.lane_no = l.lane_no;

-- One row per plan × month × hour × change: what the plan paid, as differences (a replay takes back).
CREATE TABLE IF NOT EXISTS plan_use (
    plan_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    hour TIMESTAMP NOT NULL,
    quantity HUGEINT NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per plan ever used: the sum of its plan_use.
CREATE TABLE IF NOT EXISTS plan_state (
    plan_id VARCHAR NOT NULL,
    used HUGEINT NOT NULL
);

-- One row per account-hour that could not be priced and is retried: charged nothing yet, never zero.
CREATE TABLE IF NOT EXISTS rating_held (
    account_id VARCHAR NOT NULL,
    hour TIMESTAMP NOT NULL,
    problem VARCHAR NOT NULL,
    hint VARCHAR NOT NULL
);

-- One row per rating run: what it had seen. origin: the first hour ever rated.
CREATE TABLE IF NOT EXISTS rating_marks (
    run_id VARCHAR NOT NULL,
    import_no BIGINT NOT NULL,
    through TIMESTAMP NOT NULL,
    origin TIMESTAMP NOT NULL,
    books_sha256 VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per rate card a run has seen. used: a charge names it, so that it may never change again.
CREATE TABLE IF NOT EXISTS price_versions (
    card_id VARCHAR NOT NULL,
    book VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    effective_from TIMESTAMP NOT NULL,
    effective_until TIMESTAMP,
    used BOOLEAN NOT NULL
);

-- One row per rate card of the present price books (not from the journal: written at each run).
CREATE TABLE IF NOT EXISTS price_cards (
    card_id VARCHAR NOT NULL,
    book VARCHAR NOT NULL,
    account_id VARCHAR,
    item VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    per BIGINT NOT NULL,
    unit_quantity BIGINT NOT NULL,
    period VARCHAR NOT NULL,
    effective_from TIMESTAMP NOT NULL,
    effective_until TIMESTAMP,
    flat_fee HUGEINT NOT NULL,
    minimum HUGEINT,
    maximum HUGEINT,
    free_quantity HUGEINT NOT NULL,
    discount_millionths INTEGER NOT NULL
);

-- One row per price book × region label: the billing region it means in the present price books.
CREATE TABLE IF NOT EXISTS price_labels (
    book VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    region VARCHAR NOT NULL
);

-- One row per rate card × tier: from above lower up to and with upper (NULL: no end).
CREATE TABLE IF NOT EXISTS price_tiers (
    card_id VARCHAR NOT NULL,
    tier_no INTEGER NOT NULL,
    lower HUGEINT NOT NULL,
    upper HUGEINT,
    unit_price HUGEINT NOT NULL,
    flat_fee HUGEINT NOT NULL,
    at_zero BOOLEAN NOT NULL
);

-- One row per rate card of the present price books that is ever in force, among the cards of its own
-- account (or of nobody's): an account's own card goes before the general one (written at each run).
CREATE TABLE IF NOT EXISTS price_periods (
    card_id VARCHAR NOT NULL,
    in_force_from TIMESTAMP NOT NULL,
    in_force_until TIMESTAMP NOT NULL
);
