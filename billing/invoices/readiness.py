"""May the month be issued? Every hour must be closed, taken in and rated, per time zone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict

import duckdb

import sql
from billing.instants import aware_or_none, minute_text, naive
from billing.invoices.periods import LocalPeriod
from edge.errors import InputError
from edge.terminal import many, parse_time

SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Time zones whose month is complete, and of each other one why it is not, with what to do."""

    ready: tuple[str, ...]
    problems: dict[str, tuple[str, str]]
    too_old: dict[str, tuple[str, str]]
    """Of these problems the ones that hours too old to be billed unseen make."""
    import_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionClosed:
    """Up to where a partition's hours are closed and taken in; None when nothing is whole yet."""

    partition: str
    complete_through: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedThrough:
    """Up to where usage was rated, which import that covers, and the runs that are held."""

    through_hour: datetime | None
    import_no: int
    has_unrated: bool
    held_runs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TooOldHours:
    """How many hours of a month wait for a person to accept them, and what they hold."""

    timezone: str
    hours: int
    requests: int
    first_hour: datetime


class SilentEdge(TypedDict):
    """What metering publishes of one edge, as far as it matters here."""

    edge_id: str
    partition: str
    epoch: int | None
    watermark: str | None
    expected_until: str | None


def check(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    *,
    spans: dict[str, LocalPeriod],
    now: datetime,
) -> Readiness:
    """Judge each time zone of `spans` by what was closed, taken in and rated."""
    partitions = sql.rows(
        connection.execute(sql.text("statements/invoices/due_and_late/lagging_partitions")),
        PartitionClosed,
    )
    closed = {one.partition: aware_or_none(one.complete_through) for one in partitions}
    rated = sql.row(
        connection.execute(sql.text("statements/invoices/due_and_late/rated_through")), RatedThrough
    )
    assert rated is not None, "an aggregate always has a row"
    too_old = _too_old(connection, spans)
    problems: dict[str, tuple[str, str]] = {}
    for zone, span in spans.items():
        problem = _too_early(span, now) or _not_closed(span, closed, home)
        problem = problem or too_old.get(zone) or _not_rated(span, rated)
        if problem is None and rated.has_unrated:
            problem = (
                f"usage was taken in that is not rated yet{_held(rated.held_runs)}",
                "run edgetoll billing rate",
            )
        if problem is not None:
            problems[zone] = problem
    ready = tuple(zone for zone in spans if zone not in problems)
    return Readiness(ready=ready, problems=problems, too_old=too_old, import_no=rated.import_no)


def _too_early(span: LocalPeriod, now: datetime) -> tuple[str, str] | None:
    if now < span.end:
        return (
            f"the month ends at {minute_text(span.end)}",
            "wait until then; edgetoll billing invoice --draft shows it so far",
        )
    return None


def _not_closed(
    span: LocalPeriod, closed: dict[str, datetime | None], home: Path
) -> tuple[str, str] | None:
    """The partition furthest behind, the hours it has not closed, and the edges they wait for."""
    if not closed:
        return ("no closed hours were taken in", "run edgetoll metering run and billing rate")
    lagging = {
        partition: through
        for partition, through in closed.items()
        if through is None or through < span.end
    }
    if not lagging:
        return None
    partition, through = min(
        lagging.items(), key=lambda pair: (pair[1] is not None, pair[1], pair[0])
    )
    first = max(span.start, through) if through is not None else span.start
    edges = silent_edges(home, partition, span.end)
    count = whole_hours(LocalPeriod(start=first, end=span.end))
    waits = f", waiting for edge {', '.join(edges[:SHOWN])}" if edges else ""
    hint = (
        "bring the edge back or waive it (edgetoll metering waive), then edgetoll billing rate"
        if edges
        else "run edgetoll metering run (or import with --through), then edgetoll billing rate"
    )
    return (
        f"{many(count, 'hour')} from {minute_text(first)} to {minute_text(span.end)}"
        f" {'is' if count == 1 else 'are'} not closed in"
        f" partition {partition}{waits}",
        hint,
    )


def _too_old(
    connection: duckdb.DuckDBPyConnection, spans: Mapping[str, LocalPeriod]
) -> dict[str, tuple[str, str]]:
    """The time zones of whose month hours wait to be accepted: they are on no bill (CASES G9)."""
    rows = sql.rows(
        connection.execute(
            sql.text("statements/invoices/due_and_late/too_old_hours"),
            {
                "zones": list(spans),
                "starts": [naive(span.start) for span in spans.values()],
                "ends": [naive(span.end) for span in spans.values()],
            },
        ),
        TooOldHours,
    )
    found = {}
    for one in rows:
        whole = whole_hours(spans[one.timezone])
        said = f"{one.hours} hours of it are" if one.hours > 1 else "1 hour of it is"
        found[one.timezone] = (
            f"{whole - one.hours} of {whole} hours can be billed: {said} too old to be billed"
            f" unseen, the first {minute_text(one.first_hour)}, with {one.requests:,} requests",
            "look at them and run edgetoll billing accept, then edgetoll billing rate",
        )
    return found


def _not_rated(span: LocalPeriod, rated: RatedThrough) -> tuple[str, str] | None:
    through, held = aware_or_none(rated.through_hour), _held(rated.held_runs)
    if through is None:
        return (f"no usage was rated yet{held}", "run edgetoll billing rate")
    if through < span.end:
        return (
            f"usage is rated up to {minute_text(through)} only, the month ends at"
            f" {minute_text(span.end)}{held}",
            "run edgetoll billing rate",
        )
    return None


def _held(runs: str) -> str:
    return f" (run {runs} is held: edgetoll billing release)" if runs else ""


def silent_edges(home: Path, partition: str, end: datetime) -> list[str]:
    """The edges of a partition whose promise does not reach `end` yet, as metering publishes them;
    none if it does not.

    The list of open hours would not do: an empty hour of which no edge says a word is not on it.
    """
    paths = sorted((home / "live").glob("status*.json"))
    try:
        edges: list[SilentEdge] = [
            edge for path in paths for edge in json.loads(path.read_bytes())["edges"]
        ]
        return sorted(
            {
                edge["edge_id"]
                for edge in edges
                if edge["partition"] == partition
                and (
                    _never_seen(edge)
                    if edge["watermark"] is None
                    else parse_time(edge["watermark"]) < end
                )
                and (edge["expected_until"] is None or parse_time(edge["expected_until"]) >= end)
            }
        )
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _never_seen(edge: SilentEdge) -> bool:
    """Expected and not heard of yet; nobody waits for what is there and never promised."""
    return edge["epoch"] is None


def not_due_error(month: str, problems: dict[str, tuple[str, str]], accounts: int) -> InputError:
    """The one line for a month (or some of its accounts) that cannot be issued."""
    zone, (problem, hint) = next(iter(problems.items()))
    more = f" (and {len(problems) - 1} more time zones)" if len(problems) > 1 else ""
    return InputError(
        f"{month} is not complete in {zone} for {accounts} accounts: {problem}{more}", hint
    )


def whole_hours(span: LocalPeriod) -> int:
    """How many UTC hours the span touches: 744 for a month of 31 days, one more at +5:45."""
    first = span.start.replace(minute=0)
    return -((first - span.end) // timedelta(hours=1))
