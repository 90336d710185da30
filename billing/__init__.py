"""billing: prices closed hours, keeps ledger and journal, issues invoices and flags accounts."""

from billing.zones import pin

pin()  # before any module of billing asks for a time zone
