-- Answers: what billing.duckdb holds of invoices and credit notes (private to billing, one writer).
-- Grain: see the line above each table; money is HUGEINT, 10^-10 currency units; times are UTC without zone.
-- Reads: nothing. Rows are only added (issued content never changes); standing is in invoice_events.

-- One row per document. subtotal - cut + tax = total; seller is JSON; corrects: the invoice a credit note
-- reduces or the void one this replaces. Charges of its month posted before journal_no are on it.
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
    tax_rate_bp INTEGER NOT NULL,
    hours BIGINT NOT NULL,
    incomplete_hours BIGINT NOT NULL,
    certificates BIGINT NOT NULL,
    usage_sha256 VARCHAR NOT NULL,
    corrects VARCHAR,
    reason VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    journal_no BIGINT NOT NULL,
    content_sha256 VARCHAR NOT NULL
);

-- One row per line. settled_amount and tax are whole minor units and add up to net and tax of the document.
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
    tax_rate_bp INTEGER NOT NULL,
    tax HUGEINT NOT NULL,
    rate_card VARCHAR NOT NULL,
    tier VARCHAR NOT NULL,
    corrects_invoice VARCHAR,
    corrects_hour TIMESTAMP,
    reason VARCHAR NOT NULL
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
