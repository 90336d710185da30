"""How good is the forecast: on a generated year, which suspensions were foreseen 24 hours ahead.

    python bench/forecast_backtest.py --accounts 200 --days 365 --seed 1

Hour by hour each account's forecast is made from what was known then (charges two hours late, open
hours included). An account below zero for its whole grace is suspended. Foreseen: 24 hours before,
zero had come already or was forecast so that zero + grace lay within 48 hours. Dry: the same for
the moment a balance falls below zero, if it stood above zero 24 hours before. An alarm (zero
within 24 hours) is false when no zero came within 48 hours and nobody paid meanwhile. Beside the
forecast stand the ends of its band and, as baselines, the day's and the week's burn alone.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import duckdb
import pyarrow as pa

import sql
from tests.simulation.population import (
    Customer,
    Payer,
    Traffic,
    population,
    price_per_request,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LAG_HOURS = 2
AHEAD_HOURS = 24
SLACK_HOURS = 48
HORIZON = SLACK_HOURS + 1
Said = tuple[bool, dict[str, int | None]]
METHODS = ("forecast", "early end", "late end", "day only", "week only")


@dataclass
class Score:
    """Counts of one method."""

    dry_foreseen: int = 0
    dry: int = 0
    stops_foreseen: int = 0
    stops: int = 0
    short_foreseen: int = 0
    short: int = 0
    """Suspensions of accounts whose grace is shorter than a day."""
    alarms: int = 0
    false_alarms: int = 0


@dataclass
class Followed:
    """One account as the back-test follows it."""

    customer: Customer
    available: int
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=168 + LAG_HOURS))
    said: deque[tuple[bool, dict[str, int | None]]] = field(
        default_factory=lambda: deque(maxlen=HORIZON)
    )
    """Per hour: whether it was below zero, and by method the hours to zero as forecast then."""
    open_alarms: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """Method -> (hour of the alarm, somebody paid since)."""
    below_hours: int = -1
    """Hours below zero; -1: not below."""


def main() -> int:
    """Run the year and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    scores = {name: Score() for name in METHODS}
    crossings = 0
    for customer in population(chosen.accounts, chosen.seed):
        crossings += follow(customer, chosen.seed, chosen.days * 24, scores)
    show(chosen, crossings, scores)
    return 0


def follow(customer: Customer, seed: int, hours: int, scores: dict[str, Score]) -> int:
    """One account's year; returns how often its balance fell below zero."""
    traffic, payer = Traffic(customer, seed), Payer(customer, seed)
    first = customer.hourly_mean * price_per_request(None) * customer.top_up_hours
    it = Followed(customer=customer, available=customer.credit_limit + first)
    known: list[dict[str, int]] = []
    lived: list[tuple[int, bool]] = []
    for number in range(hours):
        hour = START + HOUR * number
        amount = traffic.requests(hour, number // 24) * price_per_request(hour)
        was = it.available
        state = "overdue" if was < 0 else "low_balance" if was < 3 * amount else "ok"
        paid = payer.payment(hour, number // 24, was, state)
        it.available += paid - amount
        it.recent.append(amount)
        known.append(figures(it))
        lived.append((it.available, paid > 0))
    crossings = 0
    for number, ((available, paid_now), spans) in enumerate(
        zip(lived, forecasts(known), strict=True)
    ):
        it.available = available
        settle_alarms(it, number, paid_now, scores)
        it.below_hours = it.below_hours + 1 if it.available < 0 else -1
        if it.below_hours == 0:
            crossings += 1
            judge_crossing(it, scores)
        if it.below_hours == customer.grace_hours:
            judge_suspension(it, scores)
        it.said.append((it.available < 0, spans))
        if it.available >= 0:
            raise_alarms(it, number, spans, scores)
    return crossings


def figures(it: Followed) -> dict[str, int]:
    """What is known of the account in this hour, as the product measures it."""
    amounts = list(it.recent)
    posted, still_open = amounts[:-LAG_HOURS], amounts[-LAG_HOURS:]
    return {
        "projected": it.available,
        "available": it.available + sum(still_open),
        "open_amount": sum(still_open),
        "payable_hour": posted[-1] if posted else 0,
        "payable_24_hours": sum(posted[-24:]),
        "payable_168_hours": sum(posted),
        "hours_known": max(1, len(posted)),
    }


def forecasts(known: list[dict[str, int]]) -> list[dict[str, int | None]]:
    """Hours to zero by each method for every hour, the product's by its own statement."""
    connection = duckdb.connect()
    connection.register(
        "known", pa.table({name: [str(one[name]) for one in known] for name in known[0]})
    )
    connection.execute(
        "CREATE TEMP TABLE figures_measured AS SELECT 'a' AS account_id, 'USD' AS currency,"
        " hours_known::BIGINT AS hours_known, COLUMNS(* EXCLUDE (hours_known))::HUGEINT,"
        " 0::HUGEINT AS payable_7_hours, 0::HUGEINT AS payable_day FROM known"
    )
    connection.execute(sql.text("statements/balance/figures/forecast"))
    rows = connection.execute(
        "SELECT zero_in, zero_in_earliest, zero_in_latest FROM account_figures ORDER BY rowid"
    ).fetchall()
    return [
        {
            "forecast": _hours(middle),
            "early end": _hours(earliest),
            "late end": _hours(latest),
            "day only": _span(one, one["payable_24_hours"], min(24, one["hours_known"])),
            "week only": _span(one, one["payable_168_hours"], one["hours_known"]),
        }
        for one, (middle, earliest, latest) in zip(known, rows, strict=True)
    ]


def _span(known: dict[str, int], burnt: int, hours: int) -> int | None:
    """The baseline: hours until what is projected is spent at one burn."""
    if known["projected"] < 0:
        return 0
    span = known["projected"] * hours // burnt if burnt > 0 else None
    return span if span is not None and span <= 366 * 24 else None


def _hours(seconds: int | None) -> int | None:
    return None if seconds is None else seconds // 3600


def judge_crossing(it: Followed, scores: dict[str, Score]) -> None:
    """Zero was crossed now: what did each method say 24 hours ago?"""
    if len(it.said) < AHEAD_HOURS or it.said[-AHEAD_HOURS][0]:
        return
    for name, score in scores.items():
        span = it.said[-AHEAD_HOURS][1][name]
        score.dry += 1
        score.dry_foreseen += span is not None and span <= SLACK_HOURS


def judge_suspension(it: Followed, scores: dict[str, Score]) -> None:
    """The grace is over now: what did each method say 24 hours ago?"""
    if len(it.said) < AHEAD_HOURS:
        return
    below, spans = it.said[-AHEAD_HOURS]
    for name, score in scores.items():
        span = spans[name]
        seen = below or (span is not None and span + it.customer.grace_hours <= SLACK_HOURS)
        score.stops += 1
        score.stops_foreseen += seen
        if it.customer.grace_hours < AHEAD_HOURS:
            score.short += 1
            score.short_foreseen += seen


def raise_alarms(
    it: Followed, number: int, spans: dict[str, int | None], scores: dict[str, Score]
) -> None:
    """An alarm begins when zero is within 24 hours and none stands."""
    for name, score in scores.items():
        span = spans[name]
        if span is not None and span <= AHEAD_HOURS and name not in it.open_alarms:
            it.open_alarms[name] = (number, False)
            score.alarms += 1


def settle_alarms(it: Followed, number: int, paid: bool, scores: dict[str, Score]) -> None:
    """An alarm ends when zero came, when somebody paid, or falsely after 48 hours."""
    for name, (since, _paid) in list(it.open_alarms.items()):
        if it.available < 0 or paid:
            del it.open_alarms[name]
        elif number - since > SLACK_HOURS:
            scores[name].false_alarms += 1
            del it.open_alarms[name]


def show(chosen: argparse.Namespace, crossings: int, scores: dict[str, Score]) -> None:
    """The table."""
    print(
        f"{chosen.accounts} accounts, {chosen.days} days, seed {chosen.seed}:"
        f" {crossings} times a balance fell below zero"
    )
    columns = ("suspensions foreseen", "of short grace", "dry foreseen", "alarms", "false")
    print(f"{'method':10}" + "".join(f"{column:>26}" for column in columns))
    for name, score in scores.items():
        cells = (
            share(score.stops_foreseen, score.stops),
            share(score.short_foreseen, score.short),
            share(score.dry_foreseen, score.dry),
            str(score.alarms),
            share(score.false_alarms, score.alarms),
        )
        print(f"{name:10}" + "".join(f"{cell:>26}" for cell in cells))


def share(part: int, whole: int) -> str:
    """Part of a whole, and in percent."""
    return f"{part} of {whole} ({percent(part, whole)})"


def percent(part: int, whole: int) -> str:
    """A share in percent with one decimal."""
    return f"{1000 * part // whole / 10} %" if whole else "-"


if __name__ == "__main__":
    sys.exit(main())
