"""Where a column leads wherever it stands, if the block it stands in does not say otherwise: to
what a number consists of, and in the end to the certificate of an hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from billing.console.site.pages import Leads

TO_ITEM = "/accounts/{account_id}/charges/{item}?month={month}"
OF_MONTH = "/ask/charges_of_month?month={month}"
TO_INVOICE = "/invoices/{invoice_no}"
TO_STATEMENT = "/ask/statement_of_account?account={account_id}"
TO_PAYMENTS = "/ask/payments_of_account?account={account_id}"
TO_BALANCE = "/ask/balance_to_come?account={account_id}"
DAY_OF = "/usage?from_day={day|day}&to_day={day|day}&step=hour"
MONTH_OF = "/usage?from_day={month|first}&to_day={month|last}&step=day"
CHARGED: Leads = (TO_ITEM, OF_MONTH + "&account={account_id}", OF_MONTH + "&item={item}", OF_MONTH)
USED: Leads = (
    "/hour?hour={hour}&account={account_id}",
    "/hour?hour={hour}",
    "/hour?hour={bucket}&account={account_id}",
    "/hour?hour={bucket}",
    DAY_OF + "&account={account_id}&domain={domain}",
    DAY_OF + "&account={account_id}",
    DAY_OF + "&domain={domain}",
    DAY_OF,
    "/usage?from_day={first_day|day}&to_day={last_day|day}&domain={domain}",
    MONTH_OF + "&account={account_id}&domain={domain}",
    MONTH_OF + "&account={account_id}",
    MONTH_OF + "&domain={domain}",
    MONTH_OF,
)
"""The narrowest of what a row says."""
HOUR_OR_DAY: Leads = ("/hour?hour={hour}", "/day?day={day|day}")
LINKS: dict[str, Leads] = {
    "accepted": HOUR_OR_DAY,
    "account_id": "/accounts/{account_id}",
    "amount": CHARGED,
    "available": TO_STATEMENT,
    "billable_quantity": TO_ITEM,
    "burn_per_hour": "/accounts/{account_id}#charges-as-they-grow",
    "bytes_sent": USED,
    "cash": TO_PAYMENTS,
    "charged": CHARGED,
    "charges": ("/runs/{run_id}", TO_ITEM),
    "corrects": "/invoices/{corrects}",
    "corrects_hour": "/hour?hour={corrects_hour}",
    "corrects_invoice": "/invoices/{corrects_invoice}",
    "domain": "/usage?domain={domain}",
    "hour": "/hour?hour={hour}",
    "https_amount": OF_MONTH + "&item=https_requests",
    "https_requests": MONTH_OF + "&class=https",
    "invoice_no": TO_INVOICE,
    "item": (TO_ITEM, OF_MONTH + "&item={item}"),
    "late": HOUR_OR_DAY,
    "late_per_million": HOUR_OR_DAY,
    "open_amount": TO_INVOICE,
    "open_invoices": "/invoices?account={account_id}&open=yes",
    "paid_amount": TO_PAYMENTS,
    "per_second": USED,
    "price_book": "/prices?book={price_book}",
    "projected": TO_BALANCE,
    "projected_zero_at": TO_BALANCE,
    "quantity": TO_ITEM,
    "requests": USED,
    "requests_before": "/usage?from_day={month|first before}&to_day={month|last before}&step=day"
    "&account={account_id}",
    "run_id": "/runs/{run_id}",
    "so_far": CHARGED,
    "subtotal": TO_INVOICE + "#lines-of-invoice",
    "tax": TO_INVOICE + "#lines-of-invoice",
    "through_hour": "/hour?hour={through_hour}",
    "total": TO_INVOICE,
    "usage_through": "/hour?hour={usage_through}",
    "vouchers": TO_PAYMENTS,
}
