-- The shape of lake_agreements where billing has not published yet.
-- Grain: one row per credit or commitment.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_agreements (
    agreement_id VARCHAR,
    account_id VARCHAR,
    kind VARCHAR,
    amount DECIMAL(38, 10),
    items VARCHAR,
    regions VARCHAR,
    priority INTEGER,
    settles VARCHAR,
    starts_at TIMESTAMP,
    ends_at TIMESTAMP,
    charged DECIMAL(38, 10)
)
