"""The lists of the read API as a table: address, statement, what it takes and what a row is."""

from __future__ import annotations

from dataclasses import dataclass

from billing.console import api_models as models


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A list. `inside`: the parameter of its path, which must name something that is there."""

    path: str
    statement: str
    row: type[models.ApiRow]
    asked: type[models.AskedList]
    about: str
    inside: str = ""


API = "/api/v1"
RESOURCES = (
    Resource(
        path="/accounts",
        statement="statements/console/api/accounts",
        row=models.ApiAccount,
        asked=models.AskedAccounts,
        about="Accounts: what they have and how they stand.",
    ),
    Resource(
        path="/domains",
        statement="statements/console/api/domains",
        row=models.ApiDomain,
        asked=models.AskedDomains,
        about="Domains and who owns them.",
    ),
    Resource(
        path="/usage",
        statement="statements/console/api/usage",
        row=models.ApiUsage,
        asked=models.AskedUsage,
        about="What was served on a day (UTC), by hour, domain, region and class.",
    ),
    Resource(
        path="/charges",
        statement="statements/console/api/charges",
        row=models.ApiCharge,
        asked=models.AskedCharges,
        about="Charges of a month.",
    ),
    Resource(
        path="/invoices",
        statement="statements/console/api/invoices",
        row=models.ApiInvoice,
        asked=models.AskedInvoices,
        about="Invoices and credit notes, with what is open.",
    ),
    Resource(
        path="/invoices/{invoice}/lines",
        statement="statements/console/api/invoice_lines",
        row=models.ApiInvoiceLine,
        asked=models.AskedList,
        about="The lines of an invoice.",
        inside="invoice",
    ),
    Resource(
        path="/states",
        statement="statements/console/api/states",
        row=models.ApiState,
        asked=models.AskedOfAccount,
        about="The states that accounts were in.",
    ),
    Resource(
        path="/ledger",
        statement="statements/console/api/ledger",
        row=models.ApiLedger,
        asked=models.AskedOfAccount,
        about="Transfers of the ledger, by time.",
    ),
    Resource(
        path="/plans",
        statement="statements/console/api/plans",
        row=models.ApiPlan,
        asked=models.AskedOfAccount,
        about="Prepaid plans and what is left of them.",
    ),
    Resource(
        path="/prices",
        statement="statements/console/api/prices",
        row=models.ApiPrice,
        asked=models.AskedPrices,
        about="Rate cards in force on a day, a row a tier.",
    ),
)
