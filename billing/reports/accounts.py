"""The report on accounts: balance, state, forecast with band, when service would stop, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

import sql
from billing.appliers import open_store
from billing.balance import figures, states
from billing.balance.forecast import Forecast, forecast
from billing.balance.records import (
    IN_ARREARS,
    SEVERITY,
    STOPPED,
    AccountState,
    Conditions,
    Figures,
    State,
)
from billing.balance.settings import read_settings
from billing.balance.state_rules import decide, stops_at
from billing.instants import naive, stamp
from billing.money import SCALE, floor_to_minor, format_amount
from billing.store.store import PATIENCE_SECONDS

PLOT_HOURS = 24
BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How the event of one version of a state stands at one endpoint."""

    endpoint: str
    status: str
    attempts: int

    @property
    def words(self) -> str:
        """The endpoint's name, and what is still missing."""
        if self.status == "delivered":
            return self.endpoint
        return f"{self.endpoint} ({self.status.replace('_', ' ')}, {self.attempts} tried)"

    def document(self) -> dict[str, object]:
        """The same for programs."""
        return {"endpoint": self.endpoint, "status": self.status, "attempts": self.attempts}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """One account as the report shows it."""

    figures: Figures
    standing: AccountState
    outlook: Forecast
    stops_at: datetime | None
    """When service would stop if nothing is paid: zero plus what is left of the grace."""
    payables: tuple[int, ...] = ()
    told: tuple[Told, ...] = ()
    """Where the event of the present state went; empty: nobody has been told yet."""
    automatic: bool = False
    unverified: bool = False

    def cells(self) -> tuple[str, ...]:
        """The line as cells of a table for people, of some lines each: it fits 120 columns."""
        known, now_at = self.figures, self.standing
        since = f"since {_short(now_at.since)}" if now_at.since else ""
        amounts = (known.available, known.projected)
        told = self._told_cell()
        return (
            _stacked(known.account_id, now_at.state.value, since),
            _stacked(*(_amount(one, known.currency) for one in amounts)),
            _stacked(_burn(self.outlook.burn_per_hour, known.currency), sparkline(self.payables)),
            self._zero_cell(),
            self._stop_cell(),
            _stacked(now_at.reason, f"told: {told}" if told else ""),
        )

    def _stop_cell(self) -> str:
        """When service stops, and what it waits for where time alone does not stop it."""
        state = self.standing.state
        if state in STOPPED:
            return "stopped"
        if self.unverified and state in IN_ARREARS:
            return _stacked("held", "(unverified)")
        if state is State.SUSPEND_DUE:
            return _stacked("when", "confirmed")
        return _short(self.stops_at) or "-"

    def _told_cell(self) -> str:
        """Who has been told of this state."""
        if self.standing.version == 0:
            return ""
        return ", ".join(one.words for one in self.told) or "nobody yet"

    def _zero_cell(self) -> str:
        """When the balance is zero, and the band around it."""
        if self.outlook.zero_at is None:
            return "-"
        if self.figures.projected <= 0:
            return "passed"
        first, last = (_short(at) or "?" for at in (self.outlook.earliest, self.outlook.latest))
        return _stacked(_short(self.outlook.zero_at), f"{first} …", last)

    def document(self) -> dict[str, object]:
        """The line for programs; money as decimal strings."""
        known, now_at = self.figures, self.standing
        return {
            "account_id": known.account_id,
            "state": now_at.state.value,
            "since": now_at.since,
            "version": now_at.version,
            "available": format_amount(known.available, known.currency),
            "projected": format_amount(known.projected, known.currency),
            "currency": known.currency,
            "burn_per_hour": format_amount(self.outlook.burn_per_hour, known.currency),
            "projected_zero_at": self.outlook.zero_at,
            "projected_zero_earliest": self.outlook.earliest,
            "projected_zero_latest": self.outlook.latest,
            "suspension_at": self.stops_at,
            "policy": "auto" if self.automatic else "confirm",
            "overdue_since": now_at.overdue_since,
            "reason": now_at.reason,
            "told": [one.document() for one in self.told],
            "payables_last_hours": [format_amount(one, known.currency) for one in self.payables],
        }


def report(home: Path, *, now: datetime, at_risk: bool) -> tuple[list[AccountLine], str | None]:
    """All accounts, or those at risk, gravest first; and why nothing is verified, if so.

    Judges as of `now` without recording: what `billing alerts` would make of it.
    """
    settings = read_settings(home)
    with open_store(
        home, owner="billing accounts", now=now, wait_seconds=PATIENCE_SECONDS
    ) as store:
        _old, clock = states.gather(store, now=now, payments_through=None, settings=settings)
        conditions = states.measure(store, clock, now=now)
        cases = figures.cases(store.connection, settings, everyone=True)
        lines = [line_of(case, conditions) for case in cases]
        if at_risk:
            horizon = now + timedelta(hours=settings.at_risk_hours)
            lines = [line for line in lines if is_at_risk(line, horizon)]
        lines.sort(key=_gravest_first)
        plots = _recent_payables(store.connection, clock.usage_through, lines)
        told = _told(store.connection, lines)
    shown = [
        replace(
            _with_plot(line, plots),
            told=told.get((line.figures.account_id, line.standing.version), ()),
        )
        for line in lines
    ]
    return shown, clock.unverified


def line_of(case: figures.Case, conditions: Conditions) -> AccountLine:
    """One account's line: its state as the rules see it now, its forecast, its end."""
    known, prior, terms = case
    standing = decide(known, prior, terms, conditions) or prior
    outlook = forecast(
        known, start=conditions.known_through or conditions.usage_through or conditions.now
    )
    return AccountLine(
        figures=known,
        standing=standing,
        outlook=outlook,
        stops_at=stops_at(standing, outlook, terms, conditions),
        automatic=terms.automatic,
        unverified=conditions.unverified is not None,
    )


def is_at_risk(line: AccountLine, horizon: datetime) -> bool:
    """Whether the account's state says so, or its service is forecast to stop by `horizon`."""
    if line.standing.state is not State.OK:
        return True
    return line.stops_at is not None and line.stops_at <= horizon


def sparkline(amounts: Sequence[int]) -> str:
    """Amounts as a row of bars, the tallest for the greatest; zero is a dot."""
    top = max(amounts, default=0)
    if top <= 0:
        return "·" * len(amounts)
    steps = len(BARS) - 1
    return "".join(BARS[one * steps // top] if one > 0 else "·" for one in amounts)


def _recent_payables(
    connection: duckdb.DuckDBPyConnection, through: datetime | None, lines: Iterable[AccountLine]
) -> dict[str, tuple[int, ...]]:
    if through is None:
        return {}
    begin = through - timedelta(hours=PLOT_HOURS)
    rows = connection.execute(
        sql.text("statements/balance/figures/recent_payables"),
        {
            "begin": naive(begin),
            "through": naive(through),
            "accounts": [line.figures.account_id for line in lines],
        },
    ).fetchall()
    plots: dict[str, list[int]] = {}
    for account_id, hour_no, amount in rows:
        plots.setdefault(account_id, [0] * PLOT_HOURS)[hour_no] += int(amount)
    return {account_id: tuple(amounts) for account_id, amounts in plots.items()}


def _told(
    connection: duckdb.DuckDBPyConnection, lines: Iterable[AccountLine]
) -> dict[tuple[str, int], tuple[Told, ...]]:
    """Where the event of each account's recorded state went, by account and version."""
    rows = connection.execute(
        sql.text("statements/balance/states/told"),
        {"accounts": [line.figures.account_id for line in lines]},
    ).fetchall()
    found: dict[tuple[str, int], tuple[Told, ...]] = {}
    for account_id, version, endpoint, status, attempts in rows:
        one = Told(endpoint=endpoint, status=status, attempts=attempts)
        found[account_id, version] = (*found.get((account_id, version), ()), one)
    return found


def _stacked(*lines: str) -> str:
    """The lines of one cell; a blank one at the end keeps accounts apart."""
    return "\n".join([*(line for line in lines if line), " "])


def _amount(units: int, currency: str) -> str:
    return f"{format_amount(floor_to_minor(units, currency), currency)} {currency}"


def _burn(per_hour: int, currency: str) -> str:
    """A burn for people: down to a ten-thousandth of a currency unit."""
    step = SCALE // 10_000
    return format_amount(per_hour // step * step, currency)


def _with_plot(line: AccountLine, plots: dict[str, tuple[int, ...]]) -> AccountLine:
    empty = (0,) * PLOT_HOURS
    return replace(line, payables=plots.get(line.figures.account_id, empty))


def _gravest_first(line: AccountLine) -> tuple[int, str, str]:
    end = stamp(line.stops_at) if line.stops_at else "~"
    return (-SEVERITY[line.standing.state], end, line.figures.account_id)


def _short(at: datetime | None) -> str:
    return f"{at:%m-%d %H:%M}" if at else ""
