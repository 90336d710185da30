"""A home with a billing store, accounts and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.balance import states
from billing.balance.states import Refreshed
from billing.journal import Record
from billing.ledger import Transfer, as_effect, instant_text, top_up
from billing.money import SCALE
from billing.store import Effects, Store, applier

START = datetime(2026, 3, 1, tzinfo=UTC)
ADD_ACCOUNT = """
INSERT INTO accounts (
    account_id, effective_from, name, currency, timezone, price_book, billing_method, credit_limit,
    grace_hours,
    suspension_policy, tax_rate_bp, email, address, country, tax_id, low_balance_threshold,
    opened_at
) VALUES ($account_id, $opened, $account_id, $currency, $timezone, 'book', $method, $credit, $grace,
    $policy,
    0, $email, '', 'DE', '', $threshold, $opened)
"""
ADD_CHARGE = """
INSERT INTO charges VALUES ($charge_id, $account_id, 'https_requests', 'all', '2026-03', $start,
    $end, 1, 0, 0, 1, $amount, 'USD', 'card', 0, 'usage', 'run', $journal_no)
"""
ADD_RUN = """
INSERT INTO runs VALUES ($run_id, 'rating_run', $at, $state, $through, 0, 0, 0, '', '', $journal_no)
"""


STATEMENTS = {"account": ADD_ACCOUNT, "charge": ADD_CHARGE, "run": ADD_RUN}


@applier("test_row")
def put_row(connection: Any, record: Record, effects: Effects) -> None:
    """What rating and loading would have written, as a record, so that replaying rebuilds it."""
    connection.execute(STATEMENTS[effects["table"]], effects["row"])


def money(text: str | int) -> int:
    """Whole or decimal currency units as 10^-10 units."""
    from billing.money import parse_amount

    return text * SCALE if isinstance(text, int) else parse_amount(text)


@dataclass
class World:
    """A store under test: `now` is what the test says."""

    home: Path
    store: Store
    now: datetime = START
    count: int = 0
    rated_through: datetime = field(default=START)

    def put(self, table: str, row: dict[str, Any]) -> None:
        """One row of another module's table, through the journal."""
        plain = {
            name: instant_text(value) if isinstance(value, datetime) else value
            for name, value in row.items()
        }
        self.store.commit("test_row", {"table": table, "row": plain}, at=self.now)

    def account(self, account_id: str, **terms: Any) -> None:
        """An account with the terms that matter to the test."""
        self.put(
            "account",
            {
                "account_id": account_id,
                "currency": terms.get("currency", "USD"),
                "timezone": terms.get("timezone", "UTC"),
                "method": terms.get("method", "data_transfer"),
                "credit": money(terms.get("credit", 0)),
                "grace": terms.get("grace", 24),
                "policy": terms.get("policy", "confirm"),
                "email": terms.get("email", ""),
                "threshold": money(terms["threshold"]) if "threshold" in terms else None,
                "opened": datetime(2026, 1, 1, tzinfo=UTC),
            },
        )

    def pay(self, account_id: str, amount: str | int, key: str = "", kind: Any = "cash") -> None:
        """A top-up through the real command's function."""
        self.count += 1
        name = key or f"pay-{self.count}"
        top_up(self.store, account_id, money(amount), key=name, kind=kind, at=self.now)

    def charge(self, account_id: str, *amounts: str | int) -> None:
        """One rated hour per amount, the last one ending at `now`; the ledger is debited."""
        end = self.now
        for back, amount in enumerate(reversed(amounts)):
            self.count += 1
            units = money(amount)
            if units == 0:
                continue
            transfer = Transfer(
                transfer_id=f"charge-{self.count}",
                debit_account=f"customer:{account_id}:funds",
                credit_account="revenue:https_requests",
                amount=units,
                currency="USD",
                code="charge",
                account_id=account_id,
                effective_at=instant_text(self.now),
                reference="",
            )
            number = self.store.commit(
                "transfers", {"transfers": [as_effect(transfer)]}, at=self.now
            )
            self.put(
                "charge",
                {
                    "charge_id": transfer.transfer_id,
                    "account_id": account_id,
                    "start": end - timedelta(hours=back + 1),
                    "end": end - timedelta(hours=back),
                    "amount": units,
                    "journal_no": number,
                },
            )
        self.rated()

    def rated(self, state: str = "done", run_id: str = "") -> None:
        """A rating run through `now`."""
        self.count += 1
        self.put(
            "run",
            {
                "run_id": run_id or f"run-{self.count}",
                "at": self.now,
                "state": state,
                "through": self.now,
                "journal_no": self.store.journal.last_no,
            },
        )

    def pass_hours(self, hours: int, *, rated: bool = True) -> None:
        """Move the clock on; usage (none) is rated through then unless the test says otherwise."""
        self.now += timedelta(hours=hours)
        if rated:
            self.rated()

    def look(self, **more: Any) -> Refreshed:
        """Refresh all states now."""
        return states.refresh(self.store, now=self.now, **more)

    def state(self, account_id: str) -> str:
        """The account's present state."""
        row = self.store.connection.execute(
            "SELECT state FROM account_state WHERE account_id = ?", [account_id]
        ).fetchone()
        return row[0] if row else "ok"

    def events(self, account_id: str) -> list[str]:
        """Kinds of all events of the account, in order of version."""
        rows = self.store.connection.execute(
            "SELECT kind FROM outbox WHERE account_id = ? ORDER BY version, journal_no",
            [account_id],
        ).fetchall()
        return [row[0] for row in rows]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the smallest configuration that is one."""
    (tmp_path / "edgetoll.toml").write_text("[billing]\n")
    return tmp_path


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    """An open store in a new home."""
    with Store.open(home, owner="test", now=START) as store:
        yield World(home=home, store=store)
