"""billing.commands."""
