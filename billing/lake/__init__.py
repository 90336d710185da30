"""billing.lake."""
