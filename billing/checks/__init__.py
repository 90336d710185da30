"""billing.checks."""
