"""The lists of the read API as a table: address, statement, what it takes and what a row is."""

from __future__ import annotations

from dataclasses import dataclass

from billing.console.api import models


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A list. `inside`: the parameter of its path, which must name something that is there."""

    path: str
    statement: str
    row: type[models.Row]
    asked: type[models.Asked]
    about: str
    inside: str = ""


API = "/api/v1"
RESOURCES = (
    Resource(
        path="/accounts",
        statement="statements/console/api/accounts",
        row=models.AccountRow,
        asked=models.AskedAccounts,
        about="Accounts: what they have and how they stand.",
    ),
    Resource(
        path="/domains",
        statement="statements/console/api/domains",
        row=models.DomainRow,
        asked=models.AskedDomains,
        about="Domains and who owns them.",
    ),
    Resource(
        path="/usage",
        statement="statements/console/api/usage",
        row=models.UsageRow,
        asked=models.AskedUsage,
        about="What was served on a day (UTC), by hour, domain, region and class.",
    ),
    Resource(
        path="/charges",
        statement="statements/console/api/charges",
        row=models.ChargeRow,
        asked=models.AskedCharges,
        about="Charges of a month.",
    ),
    Resource(
        path="/invoices",
        statement="statements/console/api/invoices",
        row=models.InvoiceRow,
        asked=models.AskedInvoices,
        about="Invoices and credit notes, with what is open.",
    ),
    Resource(
        path="/invoices/{invoice}/lines",
        statement="statements/console/api/invoice_lines",
        row=models.InvoiceLineRow,
        asked=models.Asked,
        about="The lines of an invoice.",
        inside="invoice",
    ),
    Resource(
        path="/states",
        statement="statements/console/api/states",
        row=models.StateRow,
        asked=models.AskedOfAccount,
        about="The states that accounts were in.",
    ),
    Resource(
        path="/ledger",
        statement="statements/console/api/ledger",
        row=models.LedgerRow,
        asked=models.AskedOfAccount,
        about="Transfers of the ledger, by time.",
    ),
    Resource(
        path="/plans",
        statement="statements/console/api/plans",
        row=models.PlanRow,
        asked=models.AskedOfAccount,
        about="Prepaid plans and what is left of them.",
    ),
    Resource(
        path="/prices",
        statement="statements/console/api/prices",
        row=models.PriceRow,
        asked=models.AskedPrices,
        about="Rate cards in force on a day, a row a tier.",
    ),
)
