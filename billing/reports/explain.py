"""`edgetoll billing explain INVOICE LINE`: from a line to tiers, hours, domains, certificates and
batches.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

import sql
from edge.terminal import (
    DEFAULT_HOME,
    AsOfOption,
    HomeOption,
    JsonOption,
    as_of_time,
    emit,
    parse_time,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

CLASSES = {
    "https_requests": ["https"],
    "quic_requests": ["quic"],
    "http_requests": ["http"],
}
HOUR = timedelta(hours=1)
ALL_CLASSES = ["http", "https", "quic"]
LINE_KEYS = (
    "account_id", "month", "currency", "document_kind", "journal_no", "price_book", "kind", "item",
    "region", "rate_card", "tier", "quantity", "free_quantity", "plan_quantity",
    "billable_quantity", "unit", "unit_quantity", "unit_price", "amount", "settled_amount",
    "corrects_invoice", "corrects_hour", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Of each price book, which billing region an edge's region label means."""

    regions: Mapping[str, Mapping[str, str]]

    def labels(self, book: str, region: str, scopes: list[str]) -> list[str] | None:
        """The edge labels whose traffic a card of scope `region` prices; None when it is all of
        them.

        Traffic takes the narrowest scope that has a card, so `OverSeas` leaves out what has its
        own.
        """
        if region == "all":
            return None
        known = self.regions.get(book, {})
        if region != "OverSeas":
            return sorted(label for label, of in known.items() if of == region)
        own = set(scopes) - {"all", "OverSeas"}
        return sorted(label for label, of in known.items() if of != "CN" and of not in own)


def explain(
    invoice_no: Annotated[str, typer.Argument(help="The invoice's number.")],
    line: Annotated[int, typer.Argument(help="The number of the line on it.")],
    hour: Annotated[
        str | None, typer.Option("--hour", help="Look at this hour only: 2026-10-05T13.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Where an invoice line comes from: its tiers, hours, domains, and the certified batches of
    each edge.

    Example: edgetoll billing explain INV-USD-2026-000042 1
    """
    from billing.appliers import open_store
    from billing.prices import load_books
    from billing.reports.explain_view import show

    at = as_of_time(as_of)
    only = parse_time(f"{hour}:00" if hour and len(hour) == 13 else hour) if hour else None
    prices = load_books(home / "prices")
    books = Books(regions={book.book_id: book.regions for book in prices})
    with open_store(home, owner="edgetoll billing explain", now=at) as store:
        document = explanation(store.connection, invoice_no, line, books=books, only=only)
    emit(document, as_json=as_json, human=lambda: show(document))


def explanation(
    connection: duckdb.DuckDBPyConnection,
    invoice_no: str,
    line_no: int,
    *,
    books: Books,
    only: datetime | None = None,
) -> dict[str, Any]:
    """The whole explanation as one document; InputError if there is no such line."""
    from billing.money import format_amount
    from edge.errors import InputError

    row = connection.execute(
        sql.text("statements/invoices/explain_line"),
        {"invoice_no": invoice_no, "line_no": line_no},
    ).fetchone()
    if row is None:
        raise InputError(
            f"there is no line {line_no} on an invoice {invoice_no}", "see the view invoice_lines"
        )
    line = dict(zip(LINE_KEYS, row, strict=True))
    _collect_charges(connection, invoice_no, line_no, line)
    lines = _siblings(connection, invoice_no, line_no)
    hours = _hours(connection, line, _place(connection, line, line_no, lines))
    _narrow(connection, only)
    certificates = _certificates(connection)
    shown = {key: value for key, value in line.items() if key not in ("journal_no", "price_book")}
    currency = line["currency"]
    for key in ("unit_price", "amount", "settled_amount"):
        shown[key] = format_amount(line[key], currency)
    chosen = hours if only is None else [one for one in hours if _touches(one, only)]
    if only is not None and not chosen:
        raise InputError(
            f"line {line_no} of {invoice_no} has no charge in the hour from {only:%Y-%m-%dT%H:%M}Z",
            "leave --hour out to see its periods",
        )
    return {
        "invoice_no": invoice_no,
        "line_no": line_no,
        "line": shown,
        "rate_card": _card(connection, line),
        "lines": [{**one, "amount": format_amount(one["amount"], currency)} for one in lines],
        "sums": _sums(hours, currency),
        "hours": [{**one, "amount": format_amount(one["amount"], currency)} for one in chosen],
        "domains": _domains(connection, line, books),
        "certificates": certificates,
        "edges": _edges(certificates),
    }


def _siblings(
    connection: duckdb.DuckDBPyConnection, invoice_no: str, line_no: int
) -> list[dict[str, Any]]:
    """The lines that the charges behind this one stand on: a card's tiers and its fixed part."""
    keys = ("line_no", "tier", "billable_quantity", "amount")
    rows = connection.execute(
        sql.text("statements/invoices/explain_siblings"),
        {"invoice_no": invoice_no, "line_no": line_no},
    ).fetchall()
    return [dict(zip(keys, row, strict=True)) for row in rows]


def _narrow(connection: duckdb.DuckDBPyConnection, only: datetime | None) -> None:
    """Domains and certificates are those of the line's periods, or of one hour of them."""
    moment = None if only is None else only.astimezone(UTC).replace(tzinfo=None)
    connection.execute(sql.text("statements/invoices/explain_periods"), {"only": moment})


def _sums(hours: list[dict[str, Any]], currency: str) -> dict[str, Any]:
    """Over all periods: what they add up to, `amount` being that of all `lines` together."""
    from billing.money import format_amount

    keys = ("quantity", "free_quantity", "plan_quantity", "billable_quantity", "in_this_line")
    sums: dict[str, Any] = {key: sum(one[key] for one in hours) for key in keys}
    return sums | {"amount": format_amount(sum(one["amount"] for one in hours), currency)}


def _collect_charges(
    connection: duckdb.DuckDBPyConnection, invoice_no: str, line_no: int, line: dict[str, Any]
) -> None:
    keys = ("account_id", "kind", "month", "item", "region", "rate_card", "journal_no")
    connection.execute(
        sql.text("statements/invoices/explain_charges"),
        {"invoice_no": invoice_no, "line_no": line_no, **{key: line[key] for key in keys}},
    )


def _hours(
    connection: duckdb.DuckDBPyConnection, line: dict[str, Any], place: tuple[int, int, int]
) -> list[dict[str, Any]]:
    keys = ("period_start", "period_end", "quantity", "free_quantity", "plan_quantity",
            "billable_quantity", "amount", "last_revision", "reasons", "runs",
            "month_place")  # fmt: skip
    rows = connection.execute(sql.text("statements/invoices/explain_hours")).fetchall()
    hours = [dict(zip(keys, row, strict=True)) for row in rows]
    before, first, last = place
    for one in hours:
        until = before + one.pop("month_place")
        start = until - one["billable_quantity"]
        one["month_from"], one["month_to"] = start, until
        one["in_this_line"] = (
            min(max(until, first), last) - min(max(start, first), last)
            if line["kind"] == "usage"
            else one["billable_quantity"]
        )
    return hours


def _touches(hour: dict[str, Any], only: datetime) -> bool:
    moment = only.astimezone(UTC).replace(tzinfo=None)
    return bool(hour["period_start"] < moment + HOUR and hour["period_end"] > moment)


def _place(
    connection: duckdb.DuckDBPyConnection,
    line: dict[str, Any],
    line_no: int,
    lines: list[dict[str, Any]],
) -> tuple[int, int, int]:
    """Where in the month's billable quantity the charges begin, and this line begins and ends."""
    keys = ("account_id", "kind", "item", "region", "rate_card")
    row = connection.execute(
        sql.text("statements/invoices/explain_place"), {key: line[key] for key in keys}
    ).fetchall()[0]
    begin = int(row[0])
    first = begin + sum(one["billable_quantity"] for one in lines if one["line_no"] < line_no)
    return begin, first, first + int(line["billable_quantity"])


def _card(connection: duckdb.DuckDBPyConnection, line: dict[str, Any]) -> dict[str, Any]:
    from billing.money import format_amount

    currency = line["currency"]
    rows = connection.execute(
        sql.text("statements/invoices/explain_card"), {"rate_card": line["rate_card"]}
    ).fetchall()
    card: dict[str, Any] = {"rate_card": line["rate_card"], "tiers": []}
    for row in rows:
        card |= {
            "model": row[0],
            "unit": row[1],
            "per": row[2],
            "unit_quantity": row[3],
            "effective_from": row[4],
            "effective_until": row[5],
            "flat_fee": format_amount(row[6], currency),
            "minimum": None if row[7] is None else format_amount(row[7], currency),
            "maximum": None if row[8] is None else format_amount(row[8], currency),
            "discount_millionths": row[9],
            "free_quantity": int(row[15]),
            "period": row[16],
        }
        card["tiers"].append(
            {
                "tier_no": row[10],
                "above": row[11],
                "up_to": row[12],
                "unit_price": format_amount(row[13], currency),
                "flat_fee": format_amount(row[14], currency),
            }
        )
    return card


def _domains(
    connection: duckdb.DuckDBPyConnection, line: dict[str, Any], books: Books
) -> list[dict[str, Any]]:
    scopes = [
        row[0]
        for row in connection.execute(
            sql.text("statements/invoices/scopes_of_item"),
            {"book": line["price_book"], "item": line["item"]},
        ).fetchall()
    ]
    keys = ("domain", "class", "region", "requests", "bytes_sent", "hours")
    rows = connection.execute(
        sql.text("statements/invoices/explain_domains"),
        {
            "account_id": line["account_id"],
            "classes": CLASSES.get(line["item"], ALL_CLASSES),
            "labels": books.labels(line["price_book"], line["region"], scopes),
        },
    ).fetchall()
    return [dict(zip(keys, row, strict=True)) for row in rows]


def _certificates(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = connection.execute(sql.text("statements/invoices/explain_certificates")).fetchall()
    found = []
    for hour, partition, revision, state, digest, text in rows:
        content = json.loads(text)
        found.append(
            {
                "hour": hour,
                "partition": partition,
                "revision": revision,
                "state": state,
                "certificate_sha256": digest,
                "data_sha256": content["data_sha256"],
                "edges": content["edges"],
                "missing_edges": content["missing_edges"],
                "waivers": content["waivers"],
            }
        )
    return found


def _edges(certificates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each edge and epoch the range of batches that the certificates name, over all hours."""
    ranges: dict[tuple[str, str, int], dict[str, Any]] = {}
    for certificate in certificates:
        for edge in certificate["edges"]:
            for epoch in edge["epochs"]:
                key = (edge["edge_id"], edge["region"], epoch["epoch"])
                seen = ranges.setdefault(
                    key,
                    {
                        "edge_id": key[0],
                        "region": key[1],
                        "epoch": key[2],
                        "first_sequence": epoch["first_sequence"],
                        "last_sequence": epoch["last_sequence"],
                        "events": 0,
                        "hours": 0,
                    },
                )
                seen["first_sequence"] = min(seen["first_sequence"], epoch["first_sequence"])
                seen["last_sequence"] = max(seen["last_sequence"], epoch["last_sequence"])
                seen["events"] += epoch["events"]
                seen["hours"] += 1
    return [ranges[key] for key in sorted(ranges)]
