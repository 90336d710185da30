"""billing: prices closed hours, keeps the ledger and the journal, issues invoices, flags accounts in time."""
