"""billing: prices closed hours, keeps ledger and journal, issues invoices and flags accounts."""
