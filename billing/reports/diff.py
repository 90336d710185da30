"""`edgetoll billing diff RUN RUN`: what changed between two runs, by account and cause."""

from __future__ import annotations

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
    say,
    table,
)

if TYPE_CHECKING:
    import duckdb

RunArgument = Annotated[
    str, typer.Argument(help="A run's id, or `start` for the beginning of the books.")
]
SHOWN = 200
BEGINNING = "start"


def diff(
    before: RunArgument,
    after: RunArgument,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """What the books say after run AFTER that they did not say after run BEFORE, and why.

    Charges by account, month, item and cause (usage, late usage, a moved domain, a corrected
    price, …), and the documents issued between. Run ids: edgetoll sql "SELECT run_id, ran_at FROM
    runs".

    Example: edgetoll billing diff R00000012 R00000019
    """
    from billing.appliers import open_store

    at = as_of_time(as_of)
    with open_store(home, owner="edgetoll billing diff", now=at) as store:
        document = difference(store.connection, before, after)
    emit(document, as_json=as_json, human=lambda: _show(document))


def difference(connection: duckdb.DuckDBPyConnection, before: str, after: str) -> dict[str, Any]:
    """The difference as one document; InputError for a run that is not known.

    The order of the two does not matter: it always goes from the earlier to the later.
    """
    from billing.money import format_amount

    first, last = sorted((_position(connection, before), _position(connection, after)))
    changes = connection.execute(
        sql.text("statements/invoices/diff_charges"), {"after": first[0], "through": last[0]}
    ).fetchall()
    documents = connection.execute(
        sql.text("statements/invoices/diff_documents"), {"after": first[0], "through": last[0]}
    ).fetchall()
    keys = ("account_id", "month", "item", "region", "reason", "rate_card", "currency", "hours",
            "revisions", "quantity", "billable_quantity")  # fmt: skip
    return {
        "from_run": first[1],
        "to_run": last[1],
        "changes": [
            dict(zip(keys, row, strict=False)) | {"amount": format_amount(row[-1], row[6])}
            for row in changes
        ],
        "documents": [
            {
                "invoice_no": row[0],
                "kind": row[1],
                "account_id": row[2],
                "month": row[3],
                "currency": row[4],
                "total": format_amount(row[5], row[4]),
                "reason": row[6],
            }
            for row in documents
        ],
    }


def _position(connection: duckdb.DuckDBPyConnection, run_id: str) -> tuple[int, str]:
    """The journal number at which a run stands, and its id."""
    from edge.errors import InputError

    if run_id == BEGINNING:
        return 0, BEGINNING
    row = connection.execute(
        sql.text("statements/invoices/run_position"), {"run_id": run_id}
    ).fetchone()
    if row is None:
        raise InputError(
            f"there is no run {run_id!r}",
            'list them: edgetoll sql "SELECT run_id, kind, ran_at FROM runs"',
        )
    return row[0], run_id


def _show(document: dict[str, Any]) -> None:
    changes = document["changes"]
    table(
        f"From {document['from_run']} to {document['to_run']}",
        ("account", "month", "item", "region", "why", "hours", "quantity", "amount", ""),
        [
            (one["account_id"], one["month"], one["item"], one["region"], one["reason"],
             one["hours"], f"{one['quantity']:+,}", one["amount"], one["currency"])
            for one in changes[:SHOWN]
        ],
        right=("hours", "quantity", "amount"),
    )  # fmt: skip
    if len(changes) > SHOWN:
        say(f"… and {len(changes) - SHOWN} more rows: use --json")
    if document["documents"]:
        table(
            "Documents issued between",
            ("number", "kind", "account", "month", "total", "", "why"),
            [
                (one["invoice_no"], one["kind"], one["account_id"], one["month"], one["total"],
                 one["currency"], one["reason"])
                for one in document["documents"][:SHOWN]
            ],
            right=("total",),
        )  # fmt: skip
    if not changes and not document["documents"]:
        say("nothing changed between them")
