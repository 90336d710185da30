"""billing.daemon."""
