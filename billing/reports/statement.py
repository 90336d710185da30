"""`edgetoll billing statement ACCOUNT`: what moved on an account and what it has, for people who
pay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

import sql
from edge.terminal import DEFAULT_HOME, AsOfOption, HomeOption, JsonOption, as_of_time, emit, table

if TYPE_CHECKING:
    import duckdb

AccountArgument = Annotated[str, typer.Argument(help="The account's id.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One line of a statement: charges of a day and item together, everything else on its own."""

    day: date
    what: str
    reference: str
    amount: int
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The moves of an account in [start, end) between two balances, in 10^-10 units."""

    account_id: str
    name: str
    currency: str
    start: datetime
    end: datetime
    opening: int
    moves: tuple[Move, ...]

    @property
    def closing(self) -> int:
        """What the account has at the end: positive is the customer's money."""
        return self.moves[-1].balance if self.moves else self.opening


def statement(
    account: AccountArgument,
    month: Annotated[
        str | None,
        typer.Option(
            "--month", metavar="YYYY-MM", help="This month (default: up to now, 31 days)."
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:
    """Every movement on an account with the running balance, and its invoices that are still open.

    Example: edgetoll billing statement acme --month 2026-10
    """
    from billing.appliers import open_store
    from billing.invoices import payments

    at = as_of_time(as_of)
    with open_store(home, owner="edgetoll billing statement", now=at) as store:
        found = read(store.connection, account, month=month, at=at)
        invoices = payments.standing(store.connection, account=account)
    document = to_document(found) | {"open_invoices": [one.document() for one in invoices]}
    emit(document, as_json=as_json, human=lambda: _show(document))


def read(
    connection: duckdb.DuckDBPyConnection, account_id: str, *, month: str | None, at: datetime
) -> Statement:
    """The statement of one account; InputError for an unknown account or a month that is none."""
    from datetime import timedelta

    from billing.invoices.periods import check_month, month_span
    from edge.errors import InputError

    row = connection.execute(
        sql.text("statements/invoices/account_head"), {"account_id": account_id}
    ).fetchone()
    if row is None:
        raise InputError(f"there is no account {account_id!r}", "see edgetoll billing accounts")
    name, currency, timezone = row
    start, end = at - timedelta(days=31), at
    if month is not None:
        span = month_span(check_month(month), timezone)
        start, end = span.start, span.end
    parameters = {
        "account_id": account_id,
        "currency": currency,
        "start_at": start.astimezone(UTC).replace(tzinfo=None),
        "end_at": end.astimezone(UTC).replace(tzinfo=None),
    }
    opening = connection.execute(
        sql.text("statements/invoices/opening_balance"),
        {key: parameters[key] for key in ("account_id", "currency", "start_at")},
    ).fetchall()[0][0]
    balance = opening
    moves = []
    for day, what, reference, amount in connection.execute(
        sql.text("statements/invoices/statement_moves"), parameters
    ).fetchall():
        balance += amount
        moves.append(Move(day=day, what=what, reference=reference, amount=amount, balance=balance))
    return Statement(
        account_id=account_id,
        name=name,
        currency=currency,
        start=start,
        end=end,
        opening=opening,
        moves=tuple(moves),
    )


def to_document(found: Statement) -> dict[str, Any]:
    """The statement for `--json`; money as decimal strings, what the customer pays out negative."""
    from billing.money import format_amount

    return {
        "account_id": found.account_id,
        "name": found.name,
        "currency": found.currency,
        "from": found.start,
        "to": found.end,
        "opening_balance": format_amount(found.opening, found.currency),
        "moves": [
            {
                "day": move.day,
                "what": move.what,
                "reference": move.reference,
                "amount": format_amount(move.amount, found.currency),
                "balance": format_amount(move.balance, found.currency),
            }
            for move in found.moves
        ],
        "closing_balance": format_amount(found.closing, found.currency),
    }


def _show(document: dict[str, Any]) -> None:
    rows = [("", "opening balance", "", "", document["opening_balance"])]
    rows += [
        (move["day"], move["what"], move["reference"], move["amount"], move["balance"])
        for move in document["moves"]
    ]
    rows.append(("", "closing balance", "", "", document["closing_balance"]))
    title = (
        f"{document['account_id']} ({document['name']}), {document['currency']},"
        f" {document['from']:%Y-%m-%d %H:%MZ} to {document['to']:%Y-%m-%d %H:%MZ}"
    )
    columns = ("day (UTC)", "what", "reference", "amount", "balance")
    table(title, columns, rows, right=("amount", "balance"))
    if document["open_invoices"]:
        table(
            "Open invoices, oldest first",
            ("invoice", "month", "due", "owed", "open"),
            [
                (one["invoice_no"], one["month"], one["due_on"], one["owed"], one["open"])
                for one in document["open_invoices"]
            ],
            right=("owed", "open"),
        )
