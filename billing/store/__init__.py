"""billing.store."""
