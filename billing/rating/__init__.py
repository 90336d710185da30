"""billing.rating: what usage costs, for all accounts at once, by subtraction (DESIGN §3.7)."""
