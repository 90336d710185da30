"""The tables of the lake, one record each: what writes it, what shape it has, how it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kept = Literal["whole", "by record", "by day", "by account", "linked", "open", "open charges"]
MOVED = "moved"
"""In the name of a file that holds the rows which moved since a table of accounts was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeTable:
    """A table of the lake. `relation`: its name in a reader; `kept`: one file that is written
    anew, files by ranges of journal records (it only grows), files by day, one file of all accounts
    and one of those that moved since, the journal's own files (which `select` makes of older
    ones), joined, or files of usage or of charges that are not added up yet.
    """

    name: str
    relation: str
    select: str
    shape: str
    kept: Kept = "whole"
    moved_by: frozenset[str] | None = None
    """The kinds of records that can change its rows; None: it is looked at each time. `edgetoll
    check` looks whether others did."""
    merged: str | None = None
    """The statement that adds up the rows of several files of a day, or joins files of charges."""


HOURS = frozenset({"import", "accept_too_old", "usage_pruned"})
"""The kinds of records that take closed hours in, or out."""
RUNS = frozenset({"rating_run"})
FACTS = frozenset({"https_facts"})
DOCUMENTS = frozenset({"invoice_run", "invoice_void", "credit_note"})
"""The kinds of records that issue documents."""
TABLES = (
    LakeTable(
        name="account_state_history",
        relation="lake_account_state_history",
        select="lake/account_state_history",
        shape="lake_schema/account_state_history",
        kept="by record",
    ),
    LakeTable(
        name="account_states",
        relation="lake_account_states",
        select="lake/account_states",
        shape="lake_schema/account_states",
        kept="by account",
    ),
    LakeTable(
        name="accounts",
        relation="lake_accounts",
        select="lake/accounts",
        shape="lake_schema/accounts",
        kept="by account",
    ),
    LakeTable(
        name="agreements",
        relation="lake_agreements",
        select="lake/agreements",
        shape="lake_schema/agreements",
        moved_by=frozenset({"load", "rating_run"}),
    ),
    LakeTable(
        name="alerts", relation="lake_alerts", select="lake/alerts", shape="lake_schema/alerts"
    ),
    LakeTable(
        name="bandwidth_hourly",
        relation="lake_bandwidth_hourly",
        select="lake/bandwidth_hourly",
        shape="lake_schema/bandwidth_hourly",
        kept="by day",
        merged="statements/lake/publish/merged_bandwidth",
    ),
    LakeTable(
        name="certificates",
        relation="lake_certificates",
        select="lake/certificates",
        shape="lake_schema/certificates",
        moved_by=HOURS,
    ),
    LakeTable(
        name="charges",
        relation="lake_charges",
        select="lake/charges",
        shape="lake_schema/charges",
        kept="linked",
        merged="statements/lake/publish/joined_charges",
    ),
    LakeTable(
        name="charges_daily",
        relation="lake_charges_daily",
        select="lake/charges_daily",
        shape="lake_schema/charges_daily",
        kept="by record",
    ),
    LakeTable(
        name="charges_open",
        relation="lake_charges_open",
        select="lake/charges",
        shape="lake_schema/charges_open",
        kept="open charges",
    ),
    LakeTable(
        name="close_steps",
        relation="lake_close_steps",
        select="lake/close_steps",
        shape="lake_schema/close_steps",
        moved_by=frozenset({"month_close"}),
    ),
    LakeTable(
        name="deliveries",
        relation="lake_deliveries",
        select="lake/deliveries",
        shape="lake_schema/deliveries",
    ),
    LakeTable(
        name="domains",
        relation="lake_domains",
        select="lake/domains",
        shape="lake_schema/domains",
        moved_by=frozenset({"load"}),
    ),
    LakeTable(
        name="https_facts",
        relation="lake_https_facts",
        select="lake/https_facts",
        shape="lake_schema/https_facts",
        moved_by=FACTS,
    ),
    LakeTable(
        name="https_mismatches",
        relation="lake_https_mismatches",
        select="lake/https_mismatches",
        shape="lake_schema/https_mismatches",
        moved_by=FACTS,
    ),
    LakeTable(
        name="imported_files",
        relation="lake_imported_files",
        select="lake/imported_files",
        shape="lake_schema/imported_files",
        moved_by=HOURS,
    ),
    LakeTable(
        name="invoice_balances",
        relation="lake_invoice_balances",
        select="lake/invoice_balances",
        shape="lake_schema/invoice_balances",
    ),
    LakeTable(
        name="invoice_corrections",
        relation="lake_invoice_corrections",
        select="lake/invoice_corrections",
        shape="lake_schema/invoice_corrections",
        moved_by=DOCUMENTS,
    ),
    LakeTable(
        name="invoice_lines",
        relation="lake_invoice_lines",
        select="lake/invoice_lines",
        shape="lake_schema/invoice_lines",
        moved_by=DOCUMENTS,
    ),
    LakeTable(
        name="invoice_usage",
        relation="lake_invoice_usage",
        select="lake/invoice_usage",
        shape="lake_schema/invoice_usage",
        kept="by record",
        moved_by=DOCUMENTS,
    ),
    LakeTable(
        name="invoices",
        relation="lake_invoices",
        select="lake/invoices",
        shape="lake_schema/invoices",
        moved_by=DOCUMENTS | {"invoice_paid"},
    ),
    LakeTable(
        name="late_charges",
        relation="lake_late_charges",
        select="lake/late_charges",
        shape="lake_schema/late_charges",
        kept="by record",
        moved_by=RUNS,
    ),
    LakeTable(
        name="plans",
        relation="lake_plans",
        select="lake/plans",
        shape="lake_schema/plans",
        moved_by=frozenset({"load", "rating_run"}),
    ),
    LakeTable(
        name="price_labels",
        relation="lake_price_labels",
        select="lake/price_labels",
        shape="lake_schema/price_labels",
        moved_by=RUNS,
    ),
    LakeTable(
        name="prices",
        relation="lake_prices",
        select="lake/prices",
        shape="lake_schema/prices",
        moved_by=RUNS,
    ),
    LakeTable(
        name="runs",
        relation="lake_runs",
        select="lake/runs",
        shape="lake_schema/runs",
        moved_by=RUNS | {"run_held"},
    ),
    LakeTable(
        name="tags",
        relation="lake_tags",
        select="lake/tags",
        shape="lake_schema/tags",
        moved_by=frozenset({"load"}),
    ),
    LakeTable(
        name="transfers",
        relation="lake_transfers",
        select="lake/transfers",
        shape="lake_schema/transfers",
        kept="by record",
    ),
    LakeTable(
        name="usage_5min",
        relation="lake_usage_5min",
        select="lake/usage_5min",
        shape="lake_schema/usage_5min",
        kept="by day",
    ),
    LakeTable(
        name="usage_daily",
        relation="lake_usage_daily",
        select="lake/usage_daily",
        shape="lake_schema/usage_daily",
        kept="by day",
        merged="statements/lake/publish/merged_days",
    ),
    LakeTable(
        name="usage_hourly",
        relation="lake_usage_hourly",
        select="lake/usage_hourly",
        shape="lake_schema/usage_hourly",
        kept="by day",
        merged="statements/lake/publish/merged_hours",
    ),
    LakeTable(
        name="usage_open",
        relation="lake_usage_open",
        select="lake/usage_5min",
        shape="lake_schema/usage_open",
        kept="open",
    ),
    LakeTable(
        name="zone_offsets",
        relation="lake_zone_offsets",
        select="lake/zone_offsets",
        shape="lake_schema/zone_offsets",
    ),
)
# What metering writes and readers see beside the lake: relation -> its shape where there is none.
BESIDE = {
    "closed_usage": "lake_schema/closed_usage",
    "live_usage": "lake_schema/live_usage",
    "live_hours": "lake_schema/live_hours",
    "live_quarantine": "lake_schema/live_quarantine",
    "live_refused": "lake_schema/live_refused",
}
SHAPES = {**{table.relation: table.shape for table in TABLES}, **BESIDE}
