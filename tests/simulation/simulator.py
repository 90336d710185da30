"""A year of accounts on the real billing store under a virtual clock, with everything going wrong.

One seed gives one run. The charges are the simulator's own (requests x price, late parts and price
changes included); store, journal, ledger, states, outbox and delivery records are the product's.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

import sql
from billing.appliers import APPLIERS, open_store
from billing.balance import states
from billing.balance.burn import apply_burn
from billing.ledger.records import as_effect
from billing.ledger.top_up import top_up_transfer
from billing.ledger.transfers import gather_charges, post_charges
from billing.outbox import deliver
from billing.outbox.settings import DeliverySettings
from billing.outbox.webhook import Attempt, AttemptResult
from billing.store.journal import Record
from billing.store.store import Effects, Store
from tests.simulation.population import Customer, Payer, Traffic, population, price_per_request
from tests.simulation.trace import DAILY, HOURLY, PAYMENT, Look, Moves, Trace, seconds

HOUR = timedelta(hours=1)
CHARGES = pa.schema(
    [
        ("account_id", pa.string()), ("item", pa.string()), ("region", pa.string()),
        ("month", pa.string()), ("period_start", pa.timestamp("us")),
        ("period_end", pa.timestamp("us")), ("quantity", pa.int64()), ("free_quantity", pa.int64()),
        ("plan_quantity", pa.int64()), ("billable_quantity", pa.int64()),
        ("amount", pa.decimal128(38, 0)), ("currency", pa.string()), ("rate_card", pa.string()),
        ("revision", pa.int32()), ("reason", pa.string()), ("term", pa.string()),
        ("run_id", pa.string()), ("journal_no", pa.int64()),
    ]
)  # fmt: skip
ADD_ACCOUNTS = """
INSERT INTO accounts (
    account_id, effective_from, name, currency, timezone, price_book, billing_method, credit_limit,
    grace_hours, suspension_policy, tax_rate_bp, email, address, country, tax_id,
    low_balance_threshold, opened_at, journal_no)
SELECT account_id, $at, account_id, 'USD', zone, 'book', method, credit, grace, policy, 0,
    '', '', 'DE', '', NULL, $at, 0
FROM effect_accounts
"""


def apply_accounts(connection: Any, _record: Record, effects: Effects) -> None:
    """The customers become accounts."""
    connection.execute(ADD_ACCOUNTS, {"at": effects["at"]})


def apply_run(connection: Any, record: Record, effects: Effects) -> None:
    """Charges are posted as the rating run posts them."""
    run = effects["run"]
    if not run["charged"]:
        connection.execute("CREATE OR REPLACE TEMP VIEW effect_charges AS FROM no_charges")
    gather_charges(connection)
    if run["state"] == "done":
        apply_burn(connection, record, effects)
    if not run["charged"]:
        connection.execute("DROP VIEW effect_charges")
    else:
        post_charges(connection, record, run_id=run["run_id"])
    connection.execute(sql.text("statements/runs/run/end_held_runs"))
    row = {key: value for key, value in run.items() if key != "charged"}
    connection.execute(
        sql.text("statements/runs/run/insert_run"), {**row, "journal_no": record.number}
    )


open_simulated = partial(
    open_store, appliers={**APPLIERS, "sim_accounts": (apply_accounts,), "sim_run": (apply_run,)}
)
"""Opens a store whose journal has the simulator's records too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """Chances per hour that something begins, and how long it lasts at most (hours)."""

    import_outage: tuple[float, int] = (0.0015, 60)
    red_check: tuple[float, int] = (0.001, 30)
    held_run: tuple[float, int] = (0.0008, 20)
    daemon_down: tuple[float, int] = (0.001, 9)
    payments_stale: tuple[float, int] = (0.0008, 40)
    restart: float = 0.01
    lost_disk: float = 0.02
    """Of the restarts: the store's file is gone, and rebuilt from the journal."""
    late: float = 0.05
    chargeback: float = 0.0001


class Simulation:
    """One run. `step` is one hour."""

    def __init__(
        self,
        home: Path,
        *,
        accounts: int,
        seed: int,
        odds: Odds | None = None,
        funded_percent: int = 100,
    ) -> None:
        self.home = home
        self._funded_percent = funded_percent
        self.odds = odds or Odds()
        self.start = datetime(2026, 1, 1, tzinfo=UTC)
        self.now = self.start
        self.chance = random.Random(f"faults-{seed}")
        self.customers = population(accounts, seed)
        self.traffic = {c.account_id: Traffic(c, seed) for c in self.customers}
        self.payers = {c.account_id: Payer(c, seed) for c in self.customers}
        self.available = {c.account_id: c.credit_limit for c in self.customers}
        self.trace = Trace(moves={c.account_id: Moves() for c in self.customers})
        self._until: dict[str, datetime] = {}
        self._unposted: list[dict[str, Any]] = []
        self._late: dict[datetime, list[dict[str, Any]]] = {}
        self._days = {c.account_id: _Day(self.start) for c in self.customers if c.daily}
        self.hours = 0
        self._payments_through = self.start
        self._told_payments_through = datetime(2000, 1, 1, tzinfo=UTC)
        self._red = False
        self._held = False
        self._rated_through = self.start
        home.mkdir(parents=True, exist_ok=True)
        (home / "edgetoll.toml").write_text("[billing.balance]\npayments_limit_hours = 6\n")
        self.store = self.open_store()
        self._open_accounts()

    def run(self, hours: int) -> Trace:
        """Let `hours` pass."""
        for _ in range(hours):
            self.step()
        return self.trace

    def step(self) -> None:
        """One hour: usage happens, payments come, what works runs, somebody may be told."""
        begun = self.now
        self.now = begun + HOUR
        self.hours += 1
        self._happen()
        self._use(begun)
        self._pay(begun)
        if not self._is("import_outage"):
            self._rate()
        self._mark_checks()
        if not self._is("payments_stale"):
            self._payments_through = self.now
        if not self._is("daemon_down"):
            self._look()
        if self.chance.random() < 0.3:
            self._deliver()
        if self.chance.random() < self.odds.restart:
            self._restart()

    def _open_accounts(self) -> None:
        rows = [
            {
                "account_id": c.account_id,
                "zone": c.zone,
                "credit": c.credit_limit,
                "grace": c.grace_hours,
                "policy": "auto" if c.automatic else "confirm",
                "method": "peak_bandwidth" if c.daily else "data_transfer",
            }
            for c in self.customers
        ]
        at = self.start.replace(tzinfo=None).isoformat()
        self.store.commit(
            "sim_accounts", {"accounts": pa.Table.from_pylist(rows), "at": at}, at=self.start
        )
        first = {
            c.account_id: c.hourly_mean
            * price_per_request(None)
            * c.top_up_hours
            * self._funded_percent
            // 100
            for c in self.customers
        }
        self._commit_payments(first, self.start, "first")

    def _happen(self) -> None:
        for name in ("import_outage", "red_check", "held_run", "daemon_down", "payments_stale"):
            odds, longest = getattr(self.odds, name)
            if not self._is(name) and self.chance.random() < odds:
                self._until[name] = self.now + HOUR * self.chance.randint(1, longest)
                self.trace.counts[name] += 1

    def _is(self, name: str) -> bool:
        until = self._until.get(name)
        return until is not None and self.now < until

    def _use(self, hour: datetime) -> None:
        day = (hour - self.start).days
        for customer in self.customers:
            requests = self.traffic[customer.account_id].requests(hour, day)
            if customer.daily:
                self._settle_day(customer, requests)
            if requests == 0:
                continue
            late = 0
            if self.chance.random() < self.odds.late:
                late = requests * self.chance.randint(1, 60) // 100
                due = self.now + HOUR * self.chance.randint(1, 50)
                self.trace.counts["late usage"] += 1
                self._late.setdefault(due, []).append(self._charge(customer, hour, late, 1))
            self._unposted.append(self._charge(customer, hour, requests - late, 0))

        if hour > self.start and price_per_request(hour) != price_per_request(hour - HOUR):
            self.trace.counts["price changes"] += 1

    def _settle_day(self, customer: Customer, requests: int) -> None:
        """The charge of the local day that ended within this hour, if one did."""
        day = self._days[customer.account_id]
        day.requests += requests
        local = self.now.astimezone(ZoneInfo(customer.zone))
        end = local.replace(hour=0, minute=0).astimezone(UTC)
        if end <= self.now - HOUR or day.requests == 0:
            return
        if day.begin > self.start:
            unusual = end - day.begin in (23 * HOUR, 25 * HOUR)
            self.trace.counts["days of 23 or 25 hours charged"] += unusual
            row = self._charge(customer, day.begin, day.requests, 0)
            ends = {"period_end": end.replace(tzinfo=None), "item": "peak_bandwidth"}
            self._unposted.append({**row, **ends, "amount": row["amount"] // 2})
        day.begin, day.requests = end, 0

    def _charge(
        self, customer: Customer, hour: datetime, count: int, revision: int
    ) -> dict[str, Any]:
        start = hour.replace(tzinfo=None)
        return {
            "account_id": customer.account_id, "item": "https_requests", "region": "all",
            "month": f"{hour:%Y-%m}", "period_start": start, "period_end": start + HOUR,
            "quantity": count, "free_quantity": 0, "plan_quantity": 0, "billable_quantity": count,
            "amount": count * price_per_request(hour), "currency": "USD",
            "rate_card": f"card-{price_per_request(hour)}", "revision": revision,
            "reason": "late usage" if revision else "usage",
        }  # fmt: skip

    def _pay(self, hour: datetime) -> None:
        day = (hour - self.start).days
        known = dict(
            self.store.connection.execute("SELECT account_id, state FROM account_state").fetchall()
        )
        paid: dict[str, int] = {}
        for customer in self.customers:
            name = customer.account_id
            state = known.get(name, "ok")
            amount = self.payers[name].payment(hour, day, self.available[name], state)
            if amount > 0:
                paid[name] = amount
        self.trace.counts["top-ups"] += len(paid)
        if paid:
            self._commit_payments(paid, hour + HOUR / 2, f"{hour:%Y%m%d%H}")
        if self.customers and self.chance.random() < self.odds.chargeback * len(self.customers):
            name = self.chance.choice(self.customers).account_id
            amount = self.chance.randint(1, 50) * 10**9
            self.trace.counts["chargebacks"] += 1
            self._commit_payments({name: -amount}, hour + HOUR * 2 / 3, f"back-{hour:%Y%m%d%H}")

    def _commit_payments(self, paid: dict[str, int], at: datetime, batch: str) -> None:
        """What ledger.top_up does for one, for a batch of payments: one record, states included."""
        transfers = [
            top_up_transfer(
                "cash" if amount > 0 else "chargeback",
                name,
                abs(amount),
                currency="USD",
                key=f"{batch}-{name}",
                at=at,
            )
            for name, amount in paid.items()
        ]
        effects = {
            "transfers": [as_effect(transfer) for transfer in transfers],
            **states.funding_effects(self.store, paid, now=at),
        }
        number = self.store.commit("transfers", effects, at=at)
        self.trace.looks.append(Look(seconds(at), number, self._is_bad(at), everyone=False))
        for name, amount in paid.items():
            self.available[name] += amount
            self.trace.moves[name].add(number, at, amount, PAYMENT)

    def _rate(self) -> None:
        ready = self._unposted + [
            row for due in sorted(self._late) if due <= self.now for row in self._late[due]
        ]
        held = self._is("held_run")
        run = {
            "run_id": f"R{self.store.journal.last_no + 1:08d}",
            "kind": "rating_run",
            "ran_at": self.now.replace(tzinfo=None).isoformat(),
            "state": "held" if held else "done",
            "through_hour": self.now.replace(tzinfo=None).isoformat(),
            "import_no": 0,
            "charges": len(ready),
            "hours": 1,
            "totals": "",
            "reason": "",
            "charged": not held and bool(ready),
        }
        effects: dict[str, Any] = {"run": run}
        if run["charged"]:
            effects["charges"] = pa.Table.from_pylist(
                [{**row, "term": "usage", "run_id": run["run_id"]} for row in _numbered(ready)],
                CHARGES,
            )
        number = self.store.commit("sim_run", effects, at=self.now)
        self._held = held
        if held:
            return
        self._rated_through = self.now
        self.trace.rated.append((number, seconds(self.now)))
        self._unposted = []
        self._late = {due: rows for due, rows in self._late.items() if due > self.now}
        for row in ready:
            self.available[row["account_id"]] -= row["amount"]
            self.trace.moves[row["account_id"]].add(
                number,
                self.now,
                -row["amount"],
                HOURLY if row["item"] == "https_requests" else DAILY,
                seconds(row["period_end"]),
            )

    def _mark_checks(self) -> None:
        self._red = self._is("red_check")
        red = ["ledger_sums_to_zero: 1 rows"] if self._red else []
        (self.home / "checks.json").write_text(json.dumps({"at": "", "red": red}))

    def _look(self) -> None:
        states.refresh(self.store, now=self.now, payments_through=self._payments_through)
        self._told_payments_through = self._payments_through
        number, bad = self.store.journal.last_no, self._is_bad(self.now)
        self.trace.counts["hours unverified"] += bad
        self.trace.looks.append(Look(seconds(self.now), number, bad, everyone=True))

    def _is_bad(self, at: datetime) -> bool:
        """Whether the world gives reason not to trust the figures, as the simulator knows it."""
        return (
            self._red
            or self._held
            or at - self._rated_through > timedelta(hours=36)
            or at - self._told_payments_through > timedelta(hours=6)
        )

    def _deliver(self) -> None:
        """A receiver that fails often; and sometimes the sender dies before it notes a yes."""
        due = deliver.due_now(self.store.connection, DeliverySettings(), now=self.now)
        outcomes = []
        for one in due:
            if self.chance.random() < 0.5:
                outcomes.append((one, Attempt(result=AttemptResult.FAILED, answer="503")))
                continue
            self._receive(one)
            if self.chance.random() > 0.1:
                outcomes.append((one, Attempt(result=AttemptResult.DELIVERED, answer="204")))
        if outcomes:
            deliver.record(
                self.store,
                outcomes,
                now=self.now,
                jitter_permille=lambda: self.chance.randint(-100, 100),
            )

    def _receive(self, one: deliver.Due) -> None:
        told = self.trace.told
        told.times += 1
        body = hashlib.sha256(one.body.encode()).hexdigest()[:32]
        assert told.bodies.setdefault(one.event_id, body) == body, "one id, one body"
        state = json.loads(one.body)["data"]["state"]
        if one.version > told.highest.get(one.account_id, (0, ""))[0]:
            told.highest[one.account_id] = (one.version, state)

    def calm(self) -> None:
        """The receiver works: everything waiting is delivered."""
        for _ in range(20):
            self.now += timedelta(hours=25)
            due = deliver.due_now(self.store.connection, DeliverySettings(), now=self.now)
            if not due:
                return
            for one in due:
                self._receive(one)
            good = Attempt(result=AttemptResult.DELIVERED, answer="204")
            deliver.record(
                self.store, [(one, good) for one in due], now=self.now, jitter_permille=lambda: 0
            )

    def _restart(self) -> None:
        self.trace.counts["restarts"] += 1
        self.store.close()
        if self.chance.random() < self.odds.lost_disk:
            self.trace.counts["stores lost and rebuilt"] += 1
            (self.home / "billing.duckdb").unlink()
        self.store = self.open_store()

    def open_store(self) -> Store:
        """The billing store of the home, as the product opens it."""
        store = open_simulated(self.home, owner="simulation", now=self.now)
        # Many small statements: handing them to a second thread costs more than it gains.
        store.connection.execute("SET threads = 1")
        return store


@dataclass
class _Day:
    """A local day under way."""

    begin: datetime
    requests: int = 0


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Late parts of one hour that come together, or again, get revisions of their own."""
    counted: dict[tuple[Any, ...], int] = {}
    numbered = []
    for row in rows:
        key = (row["account_id"], row["item"], row["period_start"])
        place = max(row["revision"], counted.get(key, row["revision"]))
        counted[key] = place + 1
        numbered.append({**row, "revision": place})
    return numbered
