"""What changed between two runs, by account and cause."""

from __future__ import annotations

from dataclasses import asdict

import duckdb

import sql
from billing.money import format_amount
from billing.reports.records import ChargeChange, Difference, DocumentIssued
from edge.errors import InputError

BEGINNING = "start"


def difference(connection: duckdb.DuckDBPyConnection, before: str, after: str) -> Difference:
    """The difference between two runs; InputError for a run that is not known.

    The order of the two does not matter: it always goes from the earlier to the later.
    """
    first, last = sorted((_position(connection, before), _position(connection, after)))
    between = {"after": first[0], "through": last[0]}
    changes = sql.rows(
        connection.execute(sql.text("statements/invoices/diff/diff_charges"), between),
        ChargeChange,
    )
    documents = sql.rows(
        connection.execute(sql.text("statements/invoices/diff/diff_documents"), between),
        DocumentIssued,
    )
    return Difference(
        from_run=first[1], to_run=last[1], changes=tuple(changes), documents=tuple(documents)
    )


def document(found: Difference) -> dict[str, object]:
    """The difference for programs; money as decimal strings."""
    return {
        "from_run": found.from_run,
        "to_run": found.to_run,
        "changes": [
            asdict(one) | {"amount": format_amount(one.amount, one.currency)}
            for one in found.changes
        ],
        "documents": [
            asdict(one) | {"total": format_amount(one.total, one.currency)}
            for one in found.documents
        ],
    }


def _position(connection: duckdb.DuckDBPyConnection, run_id: str) -> tuple[int, str]:
    """The journal number at which a run stands, and its id."""
    if run_id == BEGINNING:
        return 0, BEGINNING
    row = connection.execute(
        sql.text("statements/invoices/diff/run_position"), {"run_id": run_id}
    ).fetchone()
    if row is None:
        raise InputError(
            f"there is no run {run_id!r}",
            'list them: edgetoll sql "SELECT run_id, kind, ran_at FROM runs"',
        )
    return int(row[0]), run_id
