"""billing.runs."""
