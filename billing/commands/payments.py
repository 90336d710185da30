"""`edgetoll billing load payments.csv`: post a file of payments, and what follows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from billing.balance.figures import APART_MAX
from billing.follow_up import changing, follow_up
from billing.ledger.payments_file import RefusedPayments, load_payments
from billing.money import format_amount
from edge.terminal import emit, table, warn


def load(file: Path, home: Path, *, at: datetime, as_json: bool) -> None:
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
