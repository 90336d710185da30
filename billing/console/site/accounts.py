"""The pages a clerk looks at: today, accounts, what they were charged, invoices."""

from __future__ import annotations

from billing.console.site.links import TO_INVOICE, TO_ITEM
from billing.console.site.pages import ActCommand, Block, Leads, PageField, SitePage

MONTH = PageField(name="month", kind="month", default="this month", label="month")
OF_ACCOUNT = {"account": "{account}"}
QUICK, SLOW = 1, 30
"""Seconds between two looks of a block that is live: at what moves, at what is dear to ask."""
OF_PERIOD: Leads = (
    "/hour?hour={hour}&account={account}",
    "/usage?from_day={first_day}&to_day={last_day}&step=hour&account={account}",
)

TODAY = SitePage(
    path="/",
    title="Today",
    nav="Today",
    about="What is served now, what it earns, and what needs a person.",
    blocks=(
        Block(
            question="what_needs_a_look",
            heading="What needs a look",
            face="tiles",
            of_fleet=True,
            every=SLOW,
            opens={
                "hours open": "/completeness",
                "hours incomplete": "/completeness",
                "accounts at risk": "/accounts?state=at_risk",
                "invoices overdue": "/invoices?open=yes",
                "requests of nobody, this month": "/ask/unattributed_domains",
                "deliveries that wait": "/ask/untold_events",
                "TLS certificates that end soon": "/ask/tls_certificates_that_end",
                "records in quarantine": "/refused",
                "log lines refused": "/refused",
            },
        ),
        Block(
            question="requests_lately",
            heading="Requests a second",
            face="chart",
            every=QUICK,
            empty="Nothing was served yet: edgetoll edge import, then edgetoll metering run.",
        ),
        Block(
            question="month_at_a_glance",
            heading="The month so far, and the month before",
            given={"month": "{month}"},
            columns=("month", "currency", "amount", "https_amount", "requests", "https_requests"),
            empty="Nothing was charged or served this month or the month before.",
        ),
        Block(
            question="accounts_as_they_stand",
            heading="Accounts at risk",
            given={"state": "at_risk"},
            columns=("account_id", "name", "state", "available", "currency", "burn_per_hour",
                     "projected_zero_at", "open_invoices"),
            empty="No account is about to lose service.",
        ),
        Block(
            question="charges_as_they_grow",
            heading="This month's charges as they grow",
            given={"month": "{month}"},
            face="chart",
            empty="Nothing was charged this month.",
        ),
    ),
    fields=(MONTH,),
    acts=(
        ActCommand(what="See all of it on one screen", command="edgetoll status"),
        ActCommand(what="Tell who must be told", command="edgetoll billing alerts"),
    ),
)  # fmt: skip

ACCOUNTS = SitePage(
    path="/accounts",
    title="Accounts",
    nav="Accounts",
    about="Who the customers are, how they stand, and what they have left.",
    fields=(
        PageField(name="search", default="", label="id or name has"),
        PageField(
            name="state",
            kind="choice",
            label="state",
            choices=("all", "at_risk", "ok", "low_balance", "projected_overdue", "overdue",
                     "suspend_due", "suspended", "released"),
        ),
    ),
    blocks=(
        Block(
            question="accounts_as_they_stand",
            heading="Accounts",
            given={"state": "{state}", "search": "{search}"},
            empty="No account is like that. Load some: edgetoll billing load FILE",
        ),
    ),
    acts=(
        ActCommand(what="Load accounts, domains and plans", command="edgetoll billing load FILE"),
    ),
)  # fmt: skip

ACCOUNT = SitePage(
    path="/accounts/{account}",
    title="{account}",
    about="How the account stands, what it used and what it was charged.",
    needs="account_at_a_glance",
    missing="no account «{account}»: /accounts lists them",
    fields=(MONTH,),
    blocks=(
        Block(
            question="account_at_a_glance",
            heading="How it stands",
            given=OF_ACCOUNT,
            face="facts",
            every=SLOW,
            opens={
                "cash": "#payments-of-account",
                "vouchers": "#payments-of-account",
                "charged": "/ask/statement_of_account?account={account}",
                "projected": "#balance-to-come",
                "projected_zero_at": "#balance-to-come",
                "burn_per_hour": "#charges-as-they-grow",
            },
        ),
        Block(
            question="requests_lately",
            heading="Requests a second",
            given=OF_ACCOUNT,
            face="chart",
            every=QUICK,
            empty="Nothing was served for it in the last three hours that have any requests.",
        ),
        Block(
            question="balance_to_come",
            heading="What is left, and how long it lasts",
            given=OF_ACCOUNT,
            face="chart",
            empty="Nothing was rated yet, so nothing can be said.",
        ),
        Block(
            question="charges_of_month",
            heading="Charged this month",
            given={"account": "{account}", "month": "{month}"},
            columns=("item", "region", "quantity", "free_quantity", "plan_quantity",
                     "billable_quantity", "amount", "currency", "corrections"),
            opens={"free_quantity": TO_ITEM, "plan_quantity": TO_ITEM, "corrections": TO_ITEM},
            empty="Nothing was charged in this month.",
        ),
        Block(
            question="charges_as_they_grow",
            heading="How the charges grow",
            given={"account": "{account}", "month": "{month}"},
            face="chart",
            empty="Nothing was charged in this month.",
        ),
        Block(
            question="usage_by_day",
            heading="Usage by day and class",
            given={"account": "{account}", "month": "{month}"},
            face="chart",
            empty="Nothing was served for it in this month.",
        ),
        Block(
            question="plans_of_account",
            heading="Plans and what is left of them",
            given=OF_ACCOUNT,
            opens={"used": "/accounts/{account}/charges/{kind}?month={month}"},
            empty="It bought no plan.",
        ),
        Block(
            question="invoices_of_month",
            heading="Invoices",
            given=OF_ACCOUNT,
            columns=("invoice_no", "month", "kind", "status", "total", "open_amount", "currency",
                     "due_on", "days_overdue"),
            empty="No invoice was issued yet.",
        ),
        Block(
            question="domains_of_account",
            heading="Domains",
            given=OF_ACCOUNT,
            opens={"domain": "/usage?account={account}&domain={domain}"},
            empty="It owns no name: its traffic is nobody's.",
        ),
        Block(
            question="payments_of_account",
            heading="Payments",
            given=OF_ACCOUNT,
            empty="Nothing was paid yet.",
        ),
        Block(
            question="states_of_account",
            heading="States, and on what evidence",
            given=OF_ACCOUNT,
            empty="It was never anything but ok.",
        ),
        Block(
            question="told_to_account",
            heading="What it was told",
            given=OF_ACCOUNT,
            empty="It was told nothing.",
        ),
    ),
    acts=(
        ActCommand(what="Post a payment",
                   command="edgetoll billing top-up {account} AMOUNT --id KEY"),
        ActCommand(what="Say how its money moved", command="edgetoll billing statement {account}"),
        ActCommand(what="Suspend it, after a look", command="edgetoll billing suspend {account}"),
        ActCommand(what="Serve it again", command="edgetoll billing resume {account}"),
    ),
)  # fmt: skip

CHARGES = SitePage(
    path="/accounts/{account}/charges/{item}",
    title="{item} of {account}",
    about="What the charge consists of: the hours or days, each with what proves it.",
    needs="account_at_a_glance",
    missing="no account «{account}»: /accounts lists them",
    fields=(MONTH,),
    blocks=(
        Block(
            question="charges_of_item",
            heading="Charges of {month}",
            given={"account": "{account}", "month": "{month}", "item": "{item}"},
            columns=("period_start", "period_end", "region", "quantity", "free_quantity",
                     "plan_quantity", "billable_quantity", "amount", "currency", "revision",
                     "reason", "rate_card", "run_id"),
            opens={"period_start": OF_PERIOD, "quantity": OF_PERIOD, "amount": OF_PERIOD,
                   "billable_quantity": OF_PERIOD},
            empty="Nothing of this was charged in this month.",
        ),
    ),
    acts=(
        ActCommand(what="Explain an invoice down to its batches",
            command="edgetoll billing explain INVOICE"),
    ),
)  # fmt: skip

INVOICES = SitePage(
    path="/invoices",
    title="Invoices",
    nav="Invoices",
    about="What was billed, and what of it is still open.",
    fields=(
        PageField(name="month", kind="month", default="all", label="month"),
        PageField(name="open", kind="choice", label="open", choices=("all", "yes")),
        PageField(name="account", label="account", account_wide=True),
    ),
    blocks=(
        Block(
            question="invoices_of_month",
            heading="Invoices and credit notes",
            given={"month": "{month}", "account": "{account}", "open": "{open}"},
            empty="None yet. A month is issued once its hours are closed:"
            " edgetoll billing invoice --month YYYY-MM",
        ),
    ),
    acts=(
        ActCommand(what="Issue a month", command="edgetoll billing invoice --month YYYY-MM"),
        ActCommand(what="Say that an invoice is paid", command="edgetoll billing paid INVOICE"),
    ),
)

INVOICE = SitePage(
    path="/invoices/{invoice}",
    title="{invoice}",
    about="As the customer has it, and what it consists of.",
    needs="invoice_at_a_glance",
    missing="no invoice «{invoice}»: /invoices lists them",
    documents=True,
    blocks=(
        Block(
            question="invoice_at_a_glance",
            heading="What it asks for",
            given={"invoice": "{invoice}"},
            face="facts",
            opens={"total": "#lines-of-invoice", "hours": "/completeness?month={month}",
                   "incomplete_hours": "/completeness?month={month}"},
        ),
        Block(
            question="lines_of_invoice",
            heading="Lines",
            given={"invoice": "{invoice}"},
            columns=("line_no", "item", "region", "quantity", "free_quantity", "plan_quantity",
                     "billable_quantity", "unit", "unit_price", "tier", "amount", "tax",
                     "corrects_invoice", "corrects_hour"),
        ),
        Block(
            question="documents_that_correct",
            heading="What corrects it",
            given={"invoice": "{invoice}"},
            opens={"amount": TO_INVOICE},
            empty="Nothing: it stands as it was issued.",
        ),
    ),
    acts=(
        ActCommand(what="Explain it down to the batches",
                   command="edgetoll billing explain {invoice}"),
        ActCommand(what="Take it back, in part or whole",
            command='edgetoll billing credit-note {invoice} --reason "…"'),
        ActCommand(what="Say that it is paid", command="edgetoll billing paid {invoice}"),
    ),
)  # fmt: skip
