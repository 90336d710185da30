"""`edgetoll report --month`: the month on one page that a manager reads.

One HTML file with everything in it, no script and nothing to fetch: its charts are SVG. All its
figures are answers of the query library, and each section names the question it is the answer to,
so that anybody can ask it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from billing.analysts import charts, library
from billing.analysts.options import SECONDS, refuse_existing
from billing.analysts.page import ReportCell, cell, rendered, title_of
from billing.lake.export import whole
from billing.lake.query import QueryLimits, connect
from billing.lake.result import run
from edge.errors import InputError
from edge.terminal import DEFAULT_HOME, HomeOption, say

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

WIDTH = 900
ROWS = 12
ALL = "all"
GLANCE, COMPLETENESS = "month_at_a_glance", "completeness_of_month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A question of the page, under which heading; `columns` are those shown, none: no table.

    `of_accounts`: it can be asked of one account, others are left out of a page about one.
    """

    question: str
    heading: str
    columns: tuple[str, ...] = ()
    picture: bool = True
    empty: str = "None."
    of_accounts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A section with its answer: rows as cells, which columns are numbers, and a picture as SVG."""

    section: Section
    title: str
    command: str
    heads: Sequence[str]
    right: Sequence[bool]
    rows: Sequence[Sequence[ReportCell]]
    more: int
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A figure of the month, and that of the month before."""

    name: str
    value: ReportCell
    before: ReportCell


SECTIONS = (
    Section(question="usage_by_day", heading="Usage"),
    Section(
        question="revenue_by_region",
        heading="Revenue by item and region, before tax",
        columns=("region", "item", "amount", "currency", "accounts"),
        empty="Nothing was charged.",
    ),
    Section(question="https_migration_by_month", heading="From HTTP to HTTPS, in thousandths"),
    Section(
        question="accounts_at_risk",
        heading="Accounts at risk, now",
        columns=("account_id", "state", "since", "available", "currency", "projected_zero_at"),
        picture=False,
        empty="No account is about to lose service.",
    ),
    Section(
        question="largest_changes",
        heading="Largest changes since the month before",
        columns=(
            "account_id",
            "item",
            "amount_before",
            "amount",
            "change",
            "of_it_more_used",
            "of_it_price_and_tiers",
        ),
        empty="Nothing changed.",
    ),
    Section(
        question="top_domains_by_https_requests",
        heading="Domains with most HTTPS requests",
        columns=("domain", "account_id", "https_requests", "bytes_sent"),
    ),
    Section(
        question="incomplete_hours",
        heading="Hours that are not complete",
        columns=("hour", "state", "accepted", "missing_edges"),
        picture=False,
        empty="Every hour known is closed with all its edges.",
        of_accounts=False,
    ),
    Section(
        question="late_usage_rate",
        heading="Usage that came late, in millionths",
        of_accounts=False,
        empty="Nothing came late.",
    ),
    Section(
        question="unattributed_traffic_by_day",
        heading="Requests that belong to nobody",
        empty="All traffic belongs to somebody.",
        of_accounts=False,
    ),
)
QUESTIONS = (GLANCE, *(one.question for one in SECTIONS), COMPLETENESS)


def report(
    month: Annotated[str, typer.Option(help="The month, as 2026-10.")],
    account: Annotated[str, typer.Option(help="One account's page.")] = ALL,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The page. Default: report-MONTH.html.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Write the month on one HTML page: usage, revenue, HTTPS share, risks, completeness.

    Example: edgetoll report --month 2026-10 -o october.html
    """
    name = f"report-{month}.html" if account == ALL else f"report-{month}-{account}.html"
    path = output or Path(name)
    refuse_existing(path, force=force)
    page = made(home, month, account)
    with whole(path) as file:
        file.write_text(page, encoding="utf-8")
    say(f"{path}: open it in a browser, print it, or mail it")


def made(home: Path, month: str, account: str = ALL) -> str:
    """The page as text. InputError for a month or an account that is not there."""
    asked = " ".join(["accounts", *(library.find(one).text for one in QUESTIONS)])
    with connect(home, QueryLimits(seconds=SECONDS), query=asked) as connection:
        name = "" if account == ALL else _name_of(connection, account)
        tiles = _tiles(_asked(connection, GLANCE, month, account)[1])
        sections = [
            _answer(connection, one, month, account)
            for one in SECTIONS
            if account == ALL or one.of_accounts
        ]
        known = _asked(connection, COMPLETENESS, month, account)[1].to_pylist()
    known_as = "" if account == ALL else account
    return rendered(title_of(month, name), known_as, tiles, sections, known[0])


def _name_of(connection: DuckDBPyConnection, account: str) -> str:
    """What an account is called, its id where it has no name; InputError when it is not there."""
    known = dict(connection.table("accounts").project("account_id, name").fetchall())
    if account not in known:
        near = library.nearest(account, sorted(known))
        raise InputError(f"no account «{account}»", near or "edgetoll billing accounts lists them")
    return known[account] or account


def _asked(
    connection: DuckDBPyConnection, name: str, month: str, account: str
) -> tuple[library.LibraryQuery, pa.Table]:
    question = library.find(name)
    values = {"month": month, "account": account, "top": str(ROWS)}
    words = [f"{one.name}={values[one.name]}" for one in question.parameters]
    result = run(connection, [question.text], SECONDS, values=question.values(words))
    return question, result.table()


def _answer(connection: DuckDBPyConnection, section: Section, month: str, account: str) -> Answered:
    question, table = _asked(connection, section.question, month, account)
    picture = ""
    if section.picture and question.chart and any(table[question.chart.y].to_pylist()):
        chart = replace(question.chart, title="")
        picture = charts.svg(table, chart, width=WIDTH)
    columns = [name for name in section.columns if name in table.column_names]
    rows = table.slice(0, ROWS).to_pylist() if columns else []
    said = {"month": month, "account": account}
    words = " ".join(
        f"--param {one.name}={said[one.name]}" for one in question.parameters if one.name in said
    )
    return Answered(
        section=section,
        title=question.title,
        command=f"edgetoll query {question.name} {words}".rstrip(),
        heads=[name.replace("_", " ") for name in columns],
        right=[charts.is_number(table, name) for name in columns],
        rows=[
            [cell(row[name], name=name, currency=row.get("currency")) for name in columns]
            for row in rows
        ],
        more=max(0, table.num_rows - ROWS) if columns else 0,
        svg=picture,
    )


def _tiles(table: pa.Table) -> list[Tile]:
    rows = table.to_pylist()
    newest = rows[0]["month"] if rows else ""
    now = [row for row in rows if row["month"] == newest]
    then = {row["currency"]: row for row in rows if row["month"] != newest}
    tiles = []
    for row in now:
        if row["currency"] is not None:
            before = then.get(row["currency"], {})
            for key, name in (("amount", "charged"), ("https_amount", "of it HTTPS requests")):
                tiles.append(_tile(f"{name}, {row['currency']}", row, before, key))
    first: Mapping[str, object] = now[0] if now else {}
    before = next(iter(then.values()), {})
    for key, name in (
        ("requests", "requests"),
        ("https_requests", "HTTPS requests"),
        ("encrypted_permille", "encrypted"),
        ("bytes_sent", "bytes sent"),
    ):
        tiles.append(_tile(name, first, before, key))
    return tiles


def _tile(name: str, now: Mapping[str, object], before: Mapping[str, object], key: str) -> Tile:
    then = now if before.get(key) is None else before
    return Tile(
        name=name,
        value=cell(now.get(key), name=key, currency=now.get("currency")),
        before=cell(before.get(key), name=key, currency=then.get("currency")),
    )
