"""JSON and CSV of the chosen documents, rendered set by set in DuckDB: one way for one and for all.

The JSON follows docs/invoice.schema.json, money as decimal strings; the CSV is RFC 4180 and safe to
open in a spreadsheet (FAULTS D17). Both are made from the tables, never from what was written
before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import orjson

import sql
from billing.invoices.reading import ISSUED, Tables, chunks
from billing.invoices.settings import SELLER_DETAILS

SCHEMA = "edgetoll.invoice.v1"
ROUNDING = (
    "Line amounts are exact. The subtotal is cut toward zero to the minor unit, the cut is "
    "shown. Settled amounts are the lines rounded half up, the leftover on one line, so that they "
    "add up to the net. Tax is rounded half up once for each rate, on the net of its lines; the "
    "lines' taxes add up to it in the same way."
)
LINE_COLUMNS = (
    "invoice_no", "kind", "account_id", "customer", "month", "currency", "issued_at", "due_on",
    "line_no", "line_kind", "item", "region", "domain", "quantity", "free_quantity",
    "plan_quantity", "billable_quantity", "unit", "unit_quantity", "unit_price", "amount",
    "settled_amount", "tax_rate_percent", "tax", "rate_card", "tier", "corrects_invoice",
    "corrects_hour", "reason", "invoice_subtotal", "invoice_cut", "invoice_net", "invoice_tax",
    "invoice_total", "corrects_until",
)  # fmt: skip
DETAIL_COLUMNS = (
    "invoice_no", "account_id", "day", "domain", "class", "region", "requests", "bytes_sent",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One document's finished bytes; `detail_csv` is written only where there is an appendix."""

    invoice_no: str
    account_id: str
    json: bytes
    csv: bytes
    detail_csv: bytes | None
    has_detail: bool


def prepare(connection: duckdb.DuckDBPyConnection, tables: Tables = ISSUED) -> None:
    """Make the macros and the sellers' texts that rendering the chosen documents needs."""
    connection.execute(sql.text("statements/invoices/rendering/text_macros"))
    found = connection.execute(
        sql.text("statements/invoices/rendering/sellers"), {"heads": tables.heads}
    ).fetchall()
    sellers = [str(seller) for (seller,) in found]
    texts = [_seller(seller) for seller in sellers]
    connection.execute(
        sql.text("statements/invoices/rendering/rendered_sellers"),
        {
            "sellers": sellers,
            "seller_json": [party for party, _notes in texts],
            "notes_json": [notes for _party, notes in texts],
        },
    )


def render_chunk(
    connection: duckdb.DuckDBPyConnection, chunk: int, tables: Tables = ISSUED
) -> duckdb.DuckDBPyRelation:
    """One chunk of the chosen documents, a row each in the columns of `Rendered`."""
    names = {"heads": tables.heads, "chunk": chunk}
    connection.execute(
        sql.text("statements/invoices/rendering/render_lines"), {**names, "lines": tables.lines}
    )
    connection.execute(
        sql.text("statements/invoices/rendering/render_taxes"), {**names, "lines": tables.lines}
    )
    connection.execute(
        sql.text("statements/invoices/rendering/render_detail"), {**names, "detail": tables.detail}
    )
    return connection.sql(
        sql.text("statements/invoices/rendering/render_documents"),
        params={
            **names,
            "schema": SCHEMA,
            "rounding": ROUNDING,
            "line_columns": ",".join(LINE_COLUMNS),
            "detail_columns": ",".join(DETAIL_COLUMNS),
        },
    )


def rendered(connection: duckdb.DuckDBPyConnection, tables: Tables = ISSUED) -> Iterator[Rendered]:
    """The chosen documents as JSON and CSV, in the order of their numbers."""
    prepare(connection, tables)
    for chunk in chunks(connection):
        yield from sql.rows(render_chunk(connection, chunk, tables), Rendered)


def _seller(text: str) -> tuple[str, str]:
    """A seller's JSON object and the terms' JSON list, indented as they stand inside a document."""
    content = json.loads(text)
    party = {
        "name": content["name"],
        "address": content["address"],
        "tax_id": content["tax_id"],
        "email": content["email"],
        "account_id": "",
        **{name: content[name] for name in SELLER_DETAILS if name in content},
    }
    return _inside(party), _inside(content["notes"])


def _inside(value: object) -> str:
    whole = orjson.dumps({"x": value}, option=orjson.OPT_INDENT_2).decode("utf-8")
    return whole.removeprefix('{\n  "x": ').removesuffix("\n}")
