"""Where a column leads wherever it stands, if the block it stands in does not say otherwise."""

from __future__ import annotations

LINKS = {
    "account_id": "/accounts/{account_id}",
    "invoice_no": "/invoices/{invoice_no}",
    "corrects": "/invoices/{corrects}",
    "corrects_invoice": "/invoices/{corrects_invoice}",
    "domain": "/usage?domain={domain}",
    "hour": "/hour?hour={hour}",
    "corrects_hour": "/hour?hour={corrects_hour}",
    "run_id": "/runs/{run_id}",
    "usage_through": "/hour?hour={usage_through}",
    "price_book": "/prices?book={price_book}",
}
