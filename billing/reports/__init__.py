"""billing.reports."""
