"""What a reader who is bound to one account sees of each public view: its own rows.

The only place where this is decided. Every view is narrowed where it is made, before another is
built on it; so whatever is asked of such a connection, by a page, an export or a query of one's
own, knows nothing of other accounts. A view that is not in the table below is empty for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from sql import names as sql_names

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

Rule = Literal[
    "own", "own or general", "of own invoices", "of own book", "of own views", "everybody's"
]
RULES: dict[str, Rule] = {
    "account_state_history": "own",
    "account_states": "own",
    "accounts": "own",
    "agreements": "own",
    "alerts": "own",
    "bandwidth_5min": "own",
    "bandwidth_hourly": "own",
    "charges": "own",
    "charges_daily_parts": "own",
    "deliveries": "own",
    "domain_bills": "own",
    "domains": "own",
    "focus": "of own views",
    "focus_1_3": "of own views",
    "focus_rows": "own",
    "https_anomalies": "own",
    "https_domains": "own",
    "invoice_balances": "own",
    "invoice_lines": "of own invoices",
    "invoices": "own",
    "late_charges": "own",
    "ledger_entries": "own",
    "payments": "own",
    "percentiles": "own",
    "plan_usage": "own",
    "plans": "own",
    "price_cards": "own or general",
    "price_regions": "of own book",
    "prices": "own or general",
    "transfers": "own",
    "usage_5min": "own",
    "usage_by_cache": "own",
    "usage_by_status": "own",
    "usage_daily": "own",
    "usage_daily_parts": "own",
    "usage_hourly": "own",
    "usage_hourly_parts": "own",
    "usage_monthly": "own",
    "usage_not_imported": "own",
    "usage_parts": "own",
    "zone_offsets": "everybody's",
}
"""How each view is narrowed. Prices are those of the account's own book, since another may be what
was agreed with another customer; a view of narrowed views alone is narrow already. Those about the
fleet or all customers together (hours, certificates, runs, quarantine, …) are missing on purpose:
their counts tell of others.
"""
WHOLE = "whole_"
"""Before the name of a view: as it is for those who may see all."""


def narrowed_by(names: Iterable[str]) -> list[str]:
    """`names` after those that others are narrowed by: lines by invoices, prices by accounts."""
    return list(dict.fromkeys(("accounts", "invoices", *names)))


def withheld(names: Iterable[str]) -> list[str]:
    """Those of `names` that are views of which such a reader sees nothing."""
    views = {path.rpartition("/")[2] for path in sql_names("views")}
    return [name for name in names if name in views and name not in RULES]


def narrow(connection: DuckDBPyConnection, view: str, account: str) -> None:
    """Leave of the view just made only what `account` may see."""
    rule = RULES.get(view)
    if rule in ("everybody's", "of own views"):
        return
    whole = f"{WHOLE}{view}"
    connection.execute(f"ALTER VIEW {view} RENAME TO {whole}")
    _kept(connection, connection.table(whole), rule, account).create_view(view)


def _kept(
    connection: DuckDBPyConnection, found: DuckDBPyRelation, rule: Rule | None, account: str
) -> DuckDBPyRelation:
    import duckdb

    if rule is None:
        return found.filter(duckdb.ConstantExpression(value=False))
    if rule == "of own invoices":
        return found.join(connection.table("invoices"), "invoice_no", how="semi")
    if rule in ("of own book", "own or general"):
        books = connection.table("accounts").project("price_book").fetchall()
        of = [duckdb.ConstantExpression(book) for (book,) in books]
        found = found.filter(duckdb.ColumnExpression(found.alias, "book").isin(*of))
        if rule == "of own book":
            return found
    column = duckdb.ColumnExpression("account_id")
    own = column == duckdb.ConstantExpression(account)
    return found.filter(own | column.isnull() if rule == "own or general" else own)
