-- The promotional credits and the commitments of accounts: what is left of a credit, what was missing to a commitment.
-- Grain: one row per credit or commitment.
-- Owner: billing/accounts.
-- Reads: lake_agreements.
-- Read by: people (edgetoll sql).
CREATE VIEW agreements AS
SELECT
    agreement_id,
    account_id,
    kind,
    amount,
    charged,
    CASE kind WHEN 'credit' THEN CAST(amount + charged AS DECIMAL(38, 10)) END AS left_over,
    items,
    regions,
    priority,
    settles,
    starts_at,
    ends_at
FROM lake_agreements
