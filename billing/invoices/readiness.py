"""May the month be issued? Every hour must be closed, taken in and rated, per time zone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

import sql
from billing.invoices.periods import Span
from edge.errors import InputError
from edge.terminal import parse_time

SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Time zones whose month is complete, and of each other one why it is not, with what to do."""

    ready: tuple[str, ...]
    problems: dict[str, tuple[str, str]]
    import_no: int


def check(
    connection: duckdb.DuckDBPyConnection, home: Path, *, spans: dict[str, Span], now: datetime
) -> Readiness:
    """Judge each time zone of `spans` by what was closed, taken in and rated."""
    closed = {
        partition: None if through is None else through.replace(tzinfo=UTC)
        for partition, through in connection.execute(
            sql.text("statements/invoices/lagging_partitions")
        ).fetchall()
    }
    row = connection.execute(sql.text("statements/invoices/rated_through")).fetchone()
    assert row is not None, "an aggregate always has a row"
    through, import_no, has_unrated, held_runs = row
    rated = None if through is None else through.replace(tzinfo=UTC)
    problems: dict[str, tuple[str, str]] = {}
    for zone, span in spans.items():
        problem = _too_early(span, now) or _not_closed(span, closed, home)
        problem = problem or _not_rated(span, rated, held_runs)
        if problem is None and has_unrated:
            problem = (
                f"usage was taken in that is not rated yet{_held(held_runs)}",
                "run edgetoll billing rate",
            )
        if problem is not None:
            problems[zone] = problem
    ready = tuple(zone for zone in spans if zone not in problems)
    return Readiness(ready=ready, problems=problems, import_no=int(import_no))


def _too_early(span: Span, now: datetime) -> tuple[str, str] | None:
    if now < span.end:
        return (f"the month ends at {_instant(span.end)}", "wait until then, or use --draft")
    return None


def _not_closed(
    span: Span, closed: dict[str, datetime | None], home: Path
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
    count = whole_hours(Span(start=first, end=span.end))
    waits = f", waiting for edge {', '.join(edges[:SHOWN])}" if edges else ""
    hint = (
        "bring the edge back or waive it (edgetoll metering waive), then edgetoll billing rate"
        if edges
        else "run edgetoll metering run (or import with --through), then edgetoll billing rate"
    )
    return (
        f"{count} hours from {_instant(first)} to {_instant(span.end)} are not closed in partition"
        f" {partition}{waits}",
        hint,
    )


def _not_rated(span: Span, rated: datetime | None, held_runs: str) -> tuple[str, str] | None:
    if rated is None:
        return (f"no usage was rated yet{_held(held_runs)}", "run edgetoll billing rate")
    if rated < span.end:
        return (
            f"usage is rated up to {_instant(rated)} only, the month ends at {_instant(span.end)}"
            f"{_held(held_runs)}",
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
        edges = [edge for path in paths for edge in json.loads(path.read_bytes())["edges"]]
        return sorted(
            {
                edge["edge_id"]
                for edge in edges
                if edge["partition"] == partition
                and (_never_seen(edge) if edge["watermark"] is None else _at(edge) < end)
                and (edge["expected_until"] is None or parse_time(edge["expected_until"]) >= end)
            }
        )
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _never_seen(edge: dict[str, Any]) -> bool:
    """Expected and not heard of yet; nobody waits for what is there and never promised."""
    return edge["epoch"] is None


def _at(edge: dict[str, Any]) -> datetime:
    return parse_time(edge["watermark"])


def not_due_error(month: str, problems: dict[str, tuple[str, str]], accounts: int) -> InputError:
    """The one line for a month (or some of its accounts) that cannot be issued."""
    zone, (problem, hint) = next(iter(problems.items()))
    more = f" (and {len(problems) - 1} more time zones)" if len(problems) > 1 else ""
    return InputError(
        f"{month} is not complete in {zone} for {accounts} accounts: {problem}{more}", hint
    )


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def whole_hours(span: Span) -> int:
    """How many UTC hours the span touches: 744 for a month of 31 days, one more at +5:45."""
    first = span.start.replace(minute=0)
    return -((first - span.end) // timedelta(hours=1))
