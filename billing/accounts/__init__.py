"""billing.accounts."""
