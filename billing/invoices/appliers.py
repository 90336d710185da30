"""What the journal's invoice records do to the tables: functions of the record alone."""

from __future__ import annotations

import duckdb

import sql
from billing.instants import instant_text
from billing.ledger.transfers import post
from billing.store.journal import Record
from billing.store.store import Effects
from edge.errors import Corrupt


def apply_run(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Add the run's documents, mark its months as issued, post tax and cut, note the run."""
    run = effects["run"]
    _add_documents(connection, record)
    connection.execute(sql.text("statements/invoices/insert_corrections"))
    connection.execute(
        sql.text("statements/invoices/insert_issued_months"),
        {"import_no": run["import_no"], "journal_no": record.number},
    )
    _note_run(connection, record, run)


def apply_void(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Add the credit note, mark the invoice void, open its month again, reverse tax and cut."""
    _add_documents(connection, record)
    _add_event(connection, record, effects["void"], status="void")
    connection.execute(
        sql.text("statements/invoices/reopen_month"), {"invoice_no": effects["void"]["invoice_no"]}
    )
    _note_run(connection, record, effects["run"])


def apply_credit_note(
    connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects
) -> None:
    """Add the credit note and post what it gives back."""
    _add_documents(connection, record)
    _note_run(connection, record, effects["run"])


def apply_paid(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Note for each invoice whether the account's payments now reach it."""
    connection.execute(
        sql.text("statements/invoices/insert_standing"),
        {"changed_at": instant_text(record.at), "journal_no": record.number},
    )


def _add_documents(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    gap = connection.execute(sql.text("statements/invoices/gaps_in_series")).fetchone()
    if gap is not None:
        raise Corrupt(
            f"journal record {record.number} gives {gap[1]} documents numbers {gap[2]} to {gap[3]}"
            f" of series {gap[0]}, which does not continue it",
            "nothing was issued: run edgetoll check",
        )
    number = {"journal_no": record.number}
    connection.execute(sql.text("statements/invoices/move_series"))
    connection.execute(sql.text("statements/invoices/clear_series"))
    connection.execute(sql.text("statements/invoices/put_series"))
    connection.execute(sql.text("statements/invoices/insert_heads"), number)
    connection.execute(sql.text("statements/invoices/insert_lines"))
    connection.execute(sql.text("statements/invoices/insert_detail"))
    connection.execute(sql.text("statements/invoices/new_transfers"))
    post(connection, record)


def _add_event(
    connection: duckdb.DuckDBPyConnection, record: Record, event: dict[str, str], *, status: str
) -> None:
    connection.execute(
        sql.text("statements/invoices/insert_event"),
        {
            "invoice_no": event["invoice_no"],
            "status": status,
            "changed_at": instant_text(record.at),
            "reason": event["reason"],
            "journal_no": record.number,
        },
    )


def _note_run(
    connection: duckdb.DuckDBPyConnection, record: Record, run: dict[str, object]
) -> None:
    connection.execute(
        sql.text("statements/invoices/insert_run"),
        {
            "run_id": run["run_id"],
            "month": run["month"],
            "ran_at": instant_text(record.at),
            "import_no": run["import_no"],
            "documents": run["documents"],
            "reason": run["reason"],
            "journal_no": record.number,
        },
    )
