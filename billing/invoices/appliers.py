"""What the journal's invoice records do to the tables: functions of the record alone."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

import sql
from billing.instants import instant_text
from billing.ledger.transfers import post
from billing.store.journal import Record
from billing.store.store import Effects
from edge.errors import Corrupt


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberGap:
    """A series that the documents of one record do not continue."""

    series: str
    documents: int
    first_number: int
    last_number: int


def apply_run(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Add the run's documents, mark its months as issued, post tax and cut, note the run."""
    run = effects["run"]
    _add_documents(connection, record)
    connection.execute(sql.text("statements/invoices/apply/insert_corrections"))
    connection.execute(
        sql.text("statements/invoices/apply/insert_issued_months"),
        {"import_no": run["import_no"], "journal_no": record.number},
    )
    _note_run(connection, record, run)


def apply_void(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Add the credit note, mark the invoice void, open its month again, reverse tax and cut."""
    _add_documents(connection, record)
    _add_event(connection, record, effects["void"], status="void")
    connection.execute(
        sql.text("statements/invoices/apply/reopen_month"),
        {"invoice_no": effects["void"]["invoice_no"]},
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
        sql.text("statements/invoices/apply/insert_standing"),
        {"changed_at": instant_text(record.at), "journal_no": record.number},
    )


def apply_close(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Note a step of a month's close."""
    connection.execute(
        sql.text("statements/invoices/apply/insert_close_step"),
        {
            **effects["step"],
            "happened_at": instant_text(record.at),
            "journal_no": record.number,
        },
    )


def _add_documents(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    gaps = sql.rows(
        connection.execute(sql.text("statements/invoices/apply/gaps_in_series")), NumberGap
    )
    if gaps:
        gap = gaps[0]
        raise Corrupt(
            f"journal record {record.number} gives {gap.documents} documents numbers"
            f" {gap.first_number} to {gap.last_number} of series {gap.series}, which does not"
            " continue it",
            "nothing was issued: run edgetoll check",
        )
    number = {"journal_no": record.number}
    connection.execute(sql.text("statements/invoices/apply/move_series"))
    connection.execute(sql.text("statements/invoices/apply/insert_heads"), number)
    connection.execute(sql.text("statements/invoices/apply/insert_lines"))
    connection.execute(sql.text("statements/invoices/apply/insert_detail"))
    connection.execute(sql.text("statements/invoices/apply/new_transfers"))
    post(connection, record)


def _add_event(
    connection: duckdb.DuckDBPyConnection, record: Record, event: dict[str, str], *, status: str
) -> None:
    connection.execute(
        sql.text("statements/invoices/apply/insert_event"),
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
        sql.text("statements/invoices/apply/insert_run"),
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
