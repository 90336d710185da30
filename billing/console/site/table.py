"""The pages of the console, in the order of its navigation."""

from __future__ import annotations

from billing.console.site.accounts import ACCOUNT, ACCOUNTS, CHARGES, INVOICE, INVOICES, TODAY
from billing.console.site.evidence import COMPLETENESS, DAY_PAGE, EDGE, HOUR, REFUSED, RUN, RUNS
from billing.console.site.pages import SitePage
from billing.console.site.usage import PERIODS, PRICES, USAGE

PAGES: tuple[SitePage, ...] = (
    TODAY,
    ACCOUNTS,
    ACCOUNT,
    CHARGES,
    INVOICES,
    INVOICE,
    USAGE,
    PERIODS,
    COMPLETENESS,
    DAY_PAGE,
    EDGE,
    HOUR,
    REFUSED,
    PRICES,
    RUNS,
    RUN,
)
