"""billing.ledger."""
