"""A reader who may see one account's rows: what is made for it, and what is withheld.

Enforced here and nowhere else. The account's rows are copied out of the files into tables of the
reader's own, the files are shut, and only then is the reader's text looked at: what it does not
have, no name, function or file can give it. A relation that has no account and no rule below is
withheld, and with it each view that reads it: empty it would say that there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from billing.lake.binding import bind_relations, create_views, products, reached, reads
from billing.lake.tables import SHAPES
from edge.errors import InputError
from sql import text as sql_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from billing.lake.sources import Sources

RULES = {
    "lake_invoice_corrections": "statements/lake/one_account/lake_invoice_corrections",
    "lake_invoice_lines": "statements/lake/one_account/lake_invoice_lines",
    "lake_invoice_usage": "statements/lake/one_account/lake_invoice_usage",
    "lake_price_labels": "statements/lake/one_account/lake_price_labels",
    "lake_prices": "statements/lake/one_account/lake_prices",
    "lake_tags": "statements/lake/one_account/lake_tags",
    "lake_zone_offsets": "statements/lake/one_account/lake_zone_offsets",
}
"""Which rows of a relation without a column of its account are that account's."""
RULES_READ = ("lake_accounts", "lake_domains", "lake_invoices")
TAKEN_WHOLE = "usage_not_imported"
"""A view whose rows find their account only beside everybody's domains: its rows are copied."""


def given(name: str) -> bool:
    """Whether a reader of one account gets this relation, view or macro."""
    if name == TAKEN_WHOLE or name in RULES:
        return True
    if name in SHAPES:
        return "account_id" in sql_text(SHAPES[name])
    return name in products() and all(given(one) for one in reads(name))


def withheld(query: str) -> str:
    """Those views that the words of `query` name and that a reader of one account does not get."""
    named = [name for name in reached(query) if name in products() and not given(name)]
    return ", ".join(named)


def bind_one_account(
    connection: DuckDBPyConnection, sources: Sources, names: Iterable[str], account: str
) -> None:
    """Make those of `names` that are given, with the rows of `account` alone; InputError when
    there is no such account.
    """
    wanted = [name for name in names if given(name)]
    copied = [name for name in wanted if name in SHAPES]
    connection.execute(sql_text("statements/lake/one_account/open"))
    inner = [*reads(TAKEN_WHOLE), TAKEN_WHOLE] if TAKEN_WHOLE in wanted else []
    every = list(dict.fromkeys([*RULES_READ, *copied, *inner]))
    bind_relations(connection, sources, every)
    create_views(connection, inner)
    connection.execute(sql_text("statements/lake/one_account/name"), {"account": account})
    known = connection.execute(sql_text("statements/lake/one_account/is_there")).fetchall()
    if not known:
        raise InputError(
            f"there is no account «{account}», whose rows this reader may see",
            "correct it in edgetoll.toml: [billing.sql.readers]",
        )
    for name in [*copied, *inner[-1:]]:
        if name in RULES:
            rows = connection.sql(sql_text(RULES[name]))
        else:
            rows = connection.table(name).filter(_is(account))
        rows.create(f"main.{name}")
    connection.execute(sql_text("statements/lake/one_account/shut"))
    create_views(connection, [name for name in wanted if name != TAKEN_WHOLE])


def _is(account: str) -> object:
    import duckdb

    column = duckdb.ColumnExpression("account_id")
    return column == duckdb.ConstantExpression(account)
