-- Answers: what billing.duckdb holds of invoices and credit notes (private to billing, one writer).
-- Grain: see the line above each table; money is HUGEINT, 10^-10 currency units; times are UTC without zone.
-- Reads: nothing. Rows are only added (issued content never changes); standing is in invoice_events.

-- One row per document. subtotal - cut + tax = total; seller is JSON; corrects: the invoice a credit note
-- reduces or the void one this replaces, NULL for a credit note that a run made of what was below zero. tax_rate_bp is
-- NULL where lines have several; tzdata names the time zone rules of the period. balance_before: what the account owed on
-- documents when the one before was issued (below zero: it had more than that), less payments_since, plus total: what it
-- owes now; prepaid_used: what of total was there already; details: as in accounts. NULL on documents of before. Charges of its month posted before journal_no are on it.
CREATE TABLE IF NOT EXISTS invoices (
    invoice_no VARCHAR NOT NULL,
    series VARCHAR NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    kind VARCHAR NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    account_id VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    digits INTEGER NOT NULL,
    issued_at TIMESTAMP NOT NULL,
    due_on DATE NOT NULL,
    period_start TIMESTAMP NOT NULL,
    period_end TIMESTAMP NOT NULL,
    timezone VARCHAR NOT NULL,
    seller VARCHAR NOT NULL,
    customer_name VARCHAR NOT NULL,
    customer_address VARCHAR NOT NULL,
    customer_country VARCHAR NOT NULL,
    customer_tax_id VARCHAR NOT NULL,
    customer_email VARCHAR NOT NULL,
    subtotal HUGEINT NOT NULL,
    cut HUGEINT NOT NULL,
    tax HUGEINT NOT NULL,
    total HUGEINT NOT NULL,
    tax_rate_bp DECIMAL(9, 2),
    hours BIGINT NOT NULL,
    incomplete_hours BIGINT NOT NULL,
    certificates BIGINT NOT NULL,
    usage_sha256 VARCHAR NOT NULL,
    corrects VARCHAR,
    reason VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL,
    content_sha256 VARCHAR NOT NULL,
    tzdata VARCHAR,
    balance_before HUGEINT,
    payments_since HUGEINT,
    prepaid_used HUGEINT,
    details VARCHAR
);

-- One row per line. settled_amount and tax are whole minor units and add up to net and tax of the document; a correction
-- is of the hours from corrects_hour to corrects_until (one hour, where that is NULL).
CREATE TABLE IF NOT EXISTS invoice_lines (
    invoice_no VARCHAR NOT NULL,
    line_no INTEGER NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('usage', 'correction', 'credit')),
    item VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    domain VARCHAR,
    quantity HUGEINT NOT NULL,
    free_quantity HUGEINT NOT NULL,
    plan_quantity HUGEINT NOT NULL,
    billable_quantity HUGEINT NOT NULL,
    unit VARCHAR NOT NULL,
    unit_quantity BIGINT NOT NULL,
    unit_price HUGEINT NOT NULL,
    amount HUGEINT NOT NULL,
    settled_amount HUGEINT NOT NULL,
    leftover HUGEINT NOT NULL,
    tax_rate_bp DECIMAL(9, 2) NOT NULL,
    tax HUGEINT NOT NULL,
    rate_card VARCHAR NOT NULL,
    tier VARCHAR NOT NULL,
    corrects_invoice VARCHAR,
    corrects_hour TIMESTAMP,
    reason VARCHAR NOT NULL,
    corrects_until TIMESTAMP
);

-- One row per document × local day × domain × class × region: the appendix, as it was at issue.
CREATE TABLE IF NOT EXISTS invoice_detail (
    invoice_no VARCHAR NOT NULL,
    day DATE NOT NULL,
    domain VARCHAR NOT NULL,
    class VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    requests BIGINT NOT NULL,
    bytes_sent BIGINT NOT NULL
);

-- One row per charge of an earlier, issued month that a document carries as a correction line.
CREATE TABLE IF NOT EXISTS invoice_corrections (
    invoice_no VARCHAR NOT NULL,
    line_no INTEGER NOT NULL,
    charge_id VARCHAR NOT NULL
);

-- One row per change of a document's standing after issue: issued -> paid | void. The last one counts.
CREATE TABLE IF NOT EXISTS invoice_events (
    invoice_no VARCHAR NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('issued', 'paid', 'void')),
    changed_at TIMESTAMP NOT NULL,
    reason VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per account and month that has a standing invoice: usage imported after import_no is late for it.
CREATE TABLE IF NOT EXISTS issued_months (
    account_id VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    import_no BIGINT NOT NULL,
    invoice_no VARCHAR NOT NULL,
    issued_at TIMESTAMP NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per charge posted after an invoice of its month was issued: documents ask for these one by one, and for all others
-- by the sums of their month, so that no run of invoices reads a file of charges.
CREATE TABLE IF NOT EXISTS late_charges (
    charge_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    item VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    period_start TIMESTAMP NOT NULL,
    period_end TIMESTAMP NOT NULL,
    quantity HUGEINT NOT NULL,
    free_quantity HUGEINT NOT NULL,
    plan_quantity HUGEINT NOT NULL,
    billable_quantity HUGEINT NOT NULL,
    amount HUGEINT NOT NULL,
    rate_card VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    term VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per series: the last number given.
CREATE TABLE IF NOT EXISTS invoice_series (
    series VARCHAR NOT NULL,
    last_number BIGINT NOT NULL
);

-- One row per run that issued documents. run_id of a credit note carries the key of its command.
CREATE TABLE IF NOT EXISTS invoice_runs (
    run_id VARCHAR NOT NULL,
    month VARCHAR NOT NULL,
    ran_at TIMESTAMP NOT NULL,
    import_no BIGINT NOT NULL,
    documents BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per step of a month's close: who looked and what they found and let pass (findings, by name and account), who
-- had it issued, who had it sent; documents: how many of the month there were then.
CREATE TABLE IF NOT EXISTS close_steps (
    month VARCHAR NOT NULL,
    step VARCHAR NOT NULL CHECK (step IN ('approved', 'issued', 'sent')),
    happened_at TIMESTAMP NOT NULL,
    decided_by VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    findings VARCHAR[] NOT NULL,
    documents BIGINT NOT NULL,
    journal_no BIGINT NOT NULL
);

-- What is charged beside usage has an agreement instead of a rate card: its kind and its id, with the "/" that no card of
-- a price book has. How a line calls it; NULL of a rate card.
CREATE OR REPLACE TEMP MACRO is_agreement(rate_card) AS contains(rate_card, '/');
CREATE OR REPLACE TEMP MACRO agreement_name(rate_card) AS
    CASE split_part(rate_card, '/', 1)
        WHEN 'credit' THEN 'promotional credit ' || split_part(rate_card, '/', 2)
        WHEN 'commitment' THEN 'missing to commitment ' || split_part(rate_card, '/', 2)
        WHEN 'plan' THEN 'plan ' || split_part(rate_card, '/', 2)
    END;

-- Texts that were listed with what orders them, joined in that order: of one text, as nearly always, without sorting.
CREATE OR REPLACE TEMP MACRO sorted_texts(texts) AS
    CASE len(texts)
        WHEN 1 THEN texts[1].text
        ELSE list_aggregate(list_transform(list_sort(texts), lambda one: one.text), 'string_agg', chr(30))
    END;

-- A rate of tax in basis points as text: whole ones as they were written before there were finer ones.
CREATE OR REPLACE TEMP MACRO rate_text(tax_rate_bp) AS
    rtrim(rtrim(CAST(CAST(tax_rate_bp AS DECIMAL(9, 2)) AS VARCHAR), '0'), '.');

-- One row per invoice that is not void, of these accounts or of all (NULL): what it asks for, what no money has reached
-- yet, and where it stands by that. The only place where money is allotted: to the oldest invoice first (DOMAIN §9.10).
-- Money is what was paid in, and what was credited and is tied to no invoice: corrections of issued months that are
-- below zero, as soon as they are posted and wherever they stand later, and credit notes that a run made. So open items
-- add up to the debt at every moment, and an invoice does not open again when a credit gets its document (CASES G4).
CREATE OR REPLACE TEMP MACRO invoice_items(accounts) AS TABLE
WITH noted AS (
    SELECT invoice_no, max_by(status, journal_no) AS status
    FROM invoice_events
    GROUP BY invoice_no
),

documents AS (
    SELECT i.*, coalesce(noted.status, 'issued') AS status
    FROM invoices AS i
    LEFT JOIN noted ON i.invoice_no = noted.invoice_no
    WHERE
        coalesce(noted.status, 'issued') <> 'void'
        AND (i.kind = 'invoice' OR i.corrects IS NULL)
        AND (accounts IS NULL OR list_contains(accounts, i.account_id))
),

corrected AS (
    SELECT
        d.invoice_no,
        d.account_id,
        c.month,
        sum(l.amount) AS amount,
        sum(l.settled_amount + l.tax) AS total
    FROM documents AS d
    INNER JOIN invoice_lines AS l ON d.invoice_no = l.invoice_no
    INNER JOIN invoices AS c ON l.corrects_invoice = c.invoice_no
    WHERE l.kind = 'correction'
    GROUP BY d.invoice_no, d.account_id, c.month
),

given_back AS (
    SELECT invoice_no, least(sum(total), 0) AS total, sum(amount) AS amount
    FROM corrected
    GROUP BY invoice_no
),

billed AS (
    SELECT d.account_id, d.month, d.subtotal - coalesce(g.amount, 0) AS amount
    FROM documents AS d
    LEFT JOIN given_back AS g ON d.invoice_no = g.invoice_no
    UNION ALL
    SELECT account_id, month, amount
    FROM corrected
),

-- What was charged for issued months and stands on no document yet.
late AS (
    SELECT m.account_id, least(sum(m.amount), 0) AS amount
    FROM (
        SELECT s.account_id, s.month, s.amount
        FROM month_state AS s
        WHERE accounts IS NULL OR list_contains(accounts, s.account_id)
        UNION ALL
        SELECT account_id, month, -amount
        FROM billed
    ) AS m
    SEMI JOIN issued_months ON m.account_id = issued_months.account_id AND m.month = issued_months.month
    GROUP BY m.account_id
),

credits AS (
    SELECT d.account_id, d.currency, sum(CASE d.kind WHEN 'invoice' THEN -coalesce(g.total, 0) ELSE -d.total END) AS total
    FROM documents AS d
    LEFT JOIN given_back AS g ON d.invoice_no = g.invoice_no
    GROUP BY d.account_id, d.currency
),

credited AS (
    SELECT corrects AS invoice_no, sum(total) AS total
    FROM invoices
    WHERE kind = 'credit_note'
    GROUP BY corrects
),

running AS (
    SELECT
        d.*,
        d.total - coalesce(g.total, 0) + coalesce(credited.total, 0) AS asked,
        sum(d.total - coalesce(g.total, 0) + coalesce(credited.total, 0)) OVER (
            PARTITION BY d.account_id, d.currency
            ORDER BY d.issued_at, d.journal_no, d.number
        ) AS asked_up_to
    FROM documents AS d
    LEFT JOIN given_back AS g ON d.invoice_no = g.invoice_no
    LEFT JOIN credited ON d.invoice_no = credited.invoice_no
    WHERE d.kind = 'invoice'
)

SELECT
    r.invoice_no,
    r.account_id,
    r.month,
    r.currency,
    r.due_on,
    r.issued_at,
    r.journal_no,
    r.number,
    r.status,
    CAST(r.asked AS HUGEINT) AS owed,
    CAST(coalesce(b.cash, 0) + coalesce(b.vouchers, 0) + coalesce(credits.total, 0) - coalesce(late.amount, 0) AS HUGEINT)
        AS money,
    CAST(greatest(0, least(r.asked, r.asked_up_to - money)) AS HUGEINT) AS still_open,
    CASE WHEN r.asked_up_to <= money THEN 'paid' ELSE 'issued' END AS new_status
FROM running AS r
LEFT JOIN balances AS b ON r.account_id = b.account_id AND r.currency = b.currency
LEFT JOIN credits ON r.account_id = credits.account_id AND r.currency = credits.currency
LEFT JOIN late ON r.account_id = late.account_id;
