"""`edgetoll billing load`: take a file of accounts, domains and plans, or of payments, and what
follows.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from billing.accounts.file_rows import read_load_file
from billing.accounts.load import early_commitments, load
from billing.accounts.reach import BookReach
from billing.accounts.staging import zone_lookup
from billing.balance.figures import APART_MAX
from billing.follow_up import changing, follow_up
from billing.ledger.payments_file import RefusedPayments, is_payments, load_payments
from billing.money import format_amount
from billing.prices import PriceBooks
from billing.status.overrides import overrides_of_nobody
from edge.terminal import emit, table, warn

__all__ = ["is_payments", "load_payments_file", "load_rows_file"]


def load_rows_file(
    file: Path, home: Path, books: PriceBooks, *, at: datetime, as_json: bool
) -> None:
    """Load the accounts, domains, plans and methods of `file`, and say what was new."""
    loaded = read_load_file(file)
    zones = {book.book_id: book.timezone for book in books}
    fees = {book.book_id for book in books if book.has_monthly_fees}
    with_fees = {row.id for _place, row in loaded.accounts if row.price_book in fees}
    reach = {
        book.book_id: BookReach(
            regions=book.scopes, sold={(card.item, card.scope) for card in book.cards}
        )
        for book in books
    }
    with changing(home, owner="billing load", at=at) as store:
        done = load(store, loaded, at=at, zone_of_book=zone_lookup(zones), books=reach)
        new = any(done.new.values())
        follow_up(store, at=at, accounts=done.accounts, owners=True, new=new)
        overrides = overrides_of_nobody(store.connection, books, home)
        early = early_commitments(store.connection, done.accounts)

    for line in overrides:
        warn(line)
    for one in early:
        warn(
            f"commitment {one.agreement_id} begins {one.starts_at:%Y-%m-%d}, but counts from"
            f" {one.opened_at:%Y-%m-%d}, when {one.account_id} is open: load the account with"
            " `opened` if it is older"
        )

    paying = {one: done.opened[one] for one in sorted(done.opened) if one in with_fees}

    def human() -> None:
        rows = [(kind, done.new[kind], done.known[kind]) for kind in done.new]
        table(f"Loaded {file}", ("kind", "new", "stored already"), rows, right=("new",))
        for one in list(paying)[:20]:
            print(f"{one} pays its monthly fee from {paying[one]:%Y-%m-%d}.")
        if len(paying) > 20:
            print(f"… and {len(paying) - 20:,} more pay theirs from their first day on.")
        if done.journal_no is None:
            print("Nothing new: nothing was written.")

    emit(
        {
            "new": dict(done.new),
            "known": dict(done.known),
            "journal_no": done.journal_no,
            "pays_monthly_fee_from": paying,
            "commitments_before_opening": [one.agreement_id for one in early],
        },
        as_json=as_json,
        human=human,
    )


def load_payments_file(file: Path, home: Path, *, at: datetime, as_json: bool) -> None:
    """Post the payments of `file`, judge who paid, and say what was new.

    Raises RefusedPayments, with each row that may not be posted told before.
    """
    try:
        with changing(home, owner="billing load", at=at) as store:
            done = load_payments(store, file, at=at)
            few = done.accounts if len(done.accounts) <= APART_MAX else None
            follow_up(store, at=at, accounts=few, record=done.journal_no, new=done.new > 0)
    except RefusedPayments as refused:
        _tell(file, refused, as_json=as_json)
        raise
    totals = {name: format_amount(done.totals[name], name) for name in sorted(done.totals)}

    def human() -> None:
        table(
            f"Loaded {file}",
            ("kind", "new", "stored already"),
            [("payments", f"{done.new:,}", f"{done.known:,}")],
            right=("new", "stored already"),
        )
        for currency, total in totals.items():
            print(f"New: {total} {currency}")
        if done.journal_no is None:
            print("Nothing new: nothing was written.")

    emit(
        {
            "new": {"payments": done.new},
            "known": {"payments": done.known},
            "totals": totals,
            "journal_no": done.journal_no,
        },
        as_json=as_json,
        human=human,
    )


def _tell(file: Path, refused: RefusedPayments, *, as_json: bool) -> None:
    rows = [{"line": one.line, "problem": one.problem} for one in refused.refused]

    def human() -> None:
        for one in refused.refused:
            warn(f"{file.name}, line {one.line}: {one.problem}")

    emit({"refused": rows}, as_json=as_json, human=human)
