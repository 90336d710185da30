"""A home with a store, accounts and a clock that the test moves; real receivers on 127.0.0.1."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from aiosmtpd.controller import Controller

import sql
from billing.appliers import APPLIERS, open_store
from billing.balance import states
from billing.balance.states import Refreshed
from billing.instants import instant_text
from billing.ledger.top_up import top_up
from billing.ledger.transfers import gather_charges, post_charges
from billing.money import SCALE
from billing.store import charge_files
from billing.store.journal import Record
from billing.store.store import Effects, Store
from tests.billing import homes

START = datetime(2026, 3, 1, tzinfo=UTC)
ADD_ACCOUNT = """
INSERT INTO accounts (
    account_id, effective_from, name, currency, timezone, price_book, billing_method, credit_limit,
    grace_hours,
    suspension_policy, tax_rate_bp, email, address, country, tax_id, low_balance_threshold,
    opened_at, journal_no
) VALUES ($account_id, $opened, $account_id, $currency, $timezone, 'book', $method, $credit, $grace,
    $policy,
    0, $email, '', 'DE', '', $threshold, $opened, 0)
"""
ADD_RUN = """
INSERT INTO runs VALUES ($run_id, 'rating_run', $at, $state, $through, 0, 0, 0, '', '', $journal_no)
"""


ADD_DOMAIN = """
INSERT INTO domain_ownership VALUES ($domain, $domain, $account_id, $since, NULL, 1)
"""
ADD_PLAN = """
INSERT INTO plans VALUES ($plan_id, $account_id, 'https_requests', 'all', $quantity, $since,
    $since::TIMESTAMP + INTERVAL 1 YEAR, $since, NULL, NULL, NULL, 1)
"""

# What the check adds up, in place of what a real run moves on.
_CHARGED, _, _ = sql.text("checks/burn_equals_charges").partition("\nSELECT\n    coalesce(b.")
BURN = (
    f"DELETE FROM account_burn; INSERT INTO account_burn {_CHARGED}"  # noqa: S608
    " SELECT account_no, charged.* EXCLUDE (account_id) FROM charged JOIN month_accounts"
    " USING (account_id)"
)
STATEMENTS = {
    "account": ADD_ACCOUNT,
    "domain": ADD_DOMAIN,
    "plan": ADD_PLAN,
    "run": ADD_RUN,
}


_TEXT, _TIME, _NUMBER = pa.string(), pa.timestamp("us"), pa.decimal128(38, 0)
CHARGE = {
    "account_id": _TEXT, "item": _TEXT, "region": _TEXT, "month": _TEXT, "period_start": _TIME,
    "period_end": _TIME, "quantity": _NUMBER, "free_quantity": _NUMBER, "plan_quantity": _NUMBER,
    "billable_quantity": _NUMBER, "amount": _NUMBER, "currency": _TEXT, "rate_card": _TEXT,
    "revision": pa.int32(), "reason": _TEXT, "term": _TEXT, "run_id": _TEXT,
    "journal_no": pa.int64(),
}  # fmt: skip
"""The columns of a file of charges that anybody reads."""


def put_row(connection: Any, record: Record, effects: Effects) -> None:
    """What rating and loading would have written, as a record, so that replaying rebuilds it. After
    a run account_burn is what its check adds up.
    """
    connection.execute(STATEMENTS[effects["table"]], effects["row"])
    if effects["table"] == "run":
        charge_files.show(connection)
        connection.execute(BURN)


def put_charges(connection: Any, record: Record, effects: Effects) -> None:
    """Charges as a rating run posts them."""
    gather_charges(connection)
    post_charges(connection, record, run_id="run")


open_world = partial(
    open_store,
    appliers={**APPLIERS, "test_row": (put_row,), "test_charges": (put_charges,)},
)
"""Opens a store whose journal also has rows that a test put there."""


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

    def domain(self, account_id: str, domain: str) -> None:
        """A domain that the account has owned since it was opened."""
        since = datetime(2026, 1, 1, tzinfo=UTC)
        self.put("domain", {"account_id": account_id, "domain": domain, "since": since})

    def plan(self, account_id: str, plan_id: str, quantity: int) -> None:
        """A plan of so many HTTPS requests, for a year."""
        row = {"account_id": account_id, "plan_id": plan_id, "quantity": quantity}
        self.put("plan", {**row, "since": datetime(2026, 1, 1, tzinfo=UTC)})

    def suspended(self, account_id: str, debt: str | int = 10) -> None:
        """The account, with automatic suspension, now stopped for a debt."""
        self.charge(account_id, debt)
        self.look()
        self.pass_hours(25)
        self.look()
        assert self.state(account_id) == "suspended"

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
            self.charge_period(
                account_id, end - timedelta(hours=back + 1), end - timedelta(hours=back), units
            )
        self.rated()

    def charge_period(self, account_id: str, start: datetime, end: datetime, units: int) -> None:
        """One charge, in 10^-10 units, as a rating run files it; the ledger is debited."""
        row = (account_id, "https_requests", "all", "2026-03", start.replace(tzinfo=None),
               end.replace(tzinfo=None), 1, 0, 0, 1, units, "USD", "card", 0, "usage", "usage",
               "run", self.store.journal.last_no + 1)  # fmt: skip
        columns = zip(row, CHARGE.values(), strict=True)
        charges = pa.table([pa.array([one], kind) for one, kind in columns], names=list(CHARGE))
        self.store.commit("test_charges", {"charges": charges}, at=self.now)

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


@pytest.fixture(scope="session", autouse=True)
def templates(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where homes are made once, to be copied."""
    homes.templates = tmp_path_factory.mktemp("templates")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the smallest configuration that is one."""
    (tmp_path / "edgetoll.toml").write_text("[billing]\n")
    return tmp_path


@pytest.fixture
def world(home: Path) -> Iterator[World]:
    """An open store in a new home."""
    with open_world(home, owner="test", now=START) as store:
        yield World(home=home, store=store)


@dataclass
class Received:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that keeps what it got and answers what `answer` says."""

    answer: Callable[[http.server.BaseHTTPRequestHandler], None]
    got: list[Received] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"


def status(code: int) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    """Answer with this status and no body."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("content-length", "0")
        handler.end_headers()

    return answer


@contextmanager
def receiving(
    answer: Callable[[http.server.BaseHTTPRequestHandler], None] | None = None,
) -> Iterator[Receiver]:
    """A receiver while the block runs."""
    receiver = Receiver(answer=answer or status(204))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("content-length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append(
                Received(path=self.path, headers=headers, body=self.rfile.read(size))
            )
            receiver.answer(self)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    """What the SMTP server took."""

    letters: list[Any] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep one letter."""
        self.letters.append(envelope)
        return "250 OK"


class _AnyPort(Controller):
    """A controller that takes whichever port is free."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A real SMTP server while the block runs."""
    mailbox = Mailbox()
    controller = _AnyPort(mailbox, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        assert controller.server is not None
        mailbox.port = controller.server.sockets[0].getsockname()[1]
        yield mailbox
    finally:
        controller.stop()


@pytest.fixture
def receiver() -> Callable[..., AbstractContextManager[Receiver]]:
    """Starts an HTTP receiver: `with receiver(answer) as it`; the answer may be a status."""

    def start(answer: Any = 204) -> AbstractContextManager[Receiver]:
        return receiving(status(answer) if isinstance(answer, int) else answer)

    return start


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A real SMTP server."""
    with mail_server() as running:
        yield running
