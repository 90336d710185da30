"""`edgetoll metering`: run, status, edges, waive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from edge.errors import InputError
from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption

if TYPE_CHECKING:
    from metering.closed import SequenceGap
    from metering.status import HourStatus, MeteringStatus

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Count each event once, close hours, say how far everything is.",
)

HOURS_SHOWN = 24
EDGE_COLUMNS = [
    "edge",
    "region",
    "epoch",
    "sequence",
    "requests",
    "refused",
    "watermark",
    "lag_s",
    "gaps",
]
STATES = ("closed", "incomplete", "open")

DrainOption = Annotated[
    bool, typer.Option("--drain", help="Read what is durable, close what can close, and exit.")
]
KafkaOption = Annotated[
    str | None,
    typer.Option("--kafka", metavar="HOST:PORT", help="Read from Kafka, not from the spool."),
]
PartitionsOption = Annotated[
    str | None,
    typer.Option("--partitions", metavar="0-3,7", help="Kafka partitions to own. Default: all."),
]


@app.command()
def run(
    drain: DrainOption = False,
    kafka: KafkaOption = None,
    partitions: PartitionsOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Count what edges have sent; without --drain until SIGTERM. Exit 1: not all of it counts.

    Example: edgetoll metering run --drain
    """
    from edge.terminal import emit, warn

    if kafka is not None:
        from metering.worker import kafka_process

        met = kafka_process.run(home, bootstrap=kafka, partitions=partitions, drain=drain)
    else:
        from metering.worker.process import run_spool

        met = run_spool(home, drain=drain)
    found = _status(home)
    emit(asdict(found), as_json=as_json, human=lambda: _show(found))
    if met.told:
        warn(f"not everything was counted: {met.text}")
        raise typer.Exit(1)


@app.command()
def status(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Show each edge's sequence, lag and gaps, and each hour: open, closed, incomplete.

    Example: edgetoll metering status --json
    """
    from edge.terminal import emit

    found = _status(home)
    emit(asdict(found), as_json=as_json, human=lambda: _show(found))


@app.command()
def edges(
    retire: Annotated[
        str | None, typer.Option("--retire", metavar="EDGE", help="Expect EDGE no longer.")
    ] = None,
    expect: Annotated[
        str | None, typer.Option("--expect", metavar="EDGE", help="Wait for EDGE.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="TIME", help="From when it holds. Default: now."),
    ] = None,
    region: Annotated[
        str, typer.Option("--region", help="Where an expected edge stands.")
    ] = "unknown",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List the edges; retire one, or expect one, from a date on.

    Example: edgetoll metering edges --retire edge-7 --on 2026-11-01
    """
    from edge.terminal import checked_names, emit, now, parse_time
    from metering.hours import requests

    since = parse_time(on) if on else now()
    if expect is not None:
        checked_names(expect=expect, region=region)
    if retire is not None:
        _warn_of_unknown(home, retire)
    if retire is not None:
        requests.retire(home, retire, since, at=now())
    if expect is not None:
        requests.expect(home, expect, region, since, at=now())
    found, asked = _status(home), _asked(home)
    document = {"edges": [asdict(edge) for edge in found.edges], **asked}
    emit(document, as_json=as_json, human=lambda: _show_asked(found, asked))


@app.command()
def replay(
    reason: Annotated[
        str | None, typer.Option("--reason", help="Only what was refused for it. Default: all.")
    ] = None,
    kafka: KafkaOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Send batches from quarantine to Kafka again, once they can be counted; each counts once.

    Example: edgetoll metering replay --reason signature --kafka 127.0.0.1:9092
    """
    from edge.terminal import emit, now
    from metering.hour import to_ms
    from metering.worker import replay as sending

    _home_exists(home)
    found = sending.replay(home, bootstrap=kafka, reason=reason, now_ms=to_ms(now()))
    emit(found, as_json=as_json, human=lambda: _show_replayed(found))


def _show_replayed(found: dict[str, dict[str, int]]) -> None:
    for reason, batches in found["sent"].items():
        print(f"sent again: {batches:,} refused as {reason}; the worker counts what is new in them")
    for reason, batches in found["left"].items():
        print(f"left in quarantine: {batches:,} refused as {reason}, which would be refused again")
    if not any(found.values()):
        print("nothing to send again is in quarantine")


@app.command()
def waive(
    edge: Annotated[str, typer.Argument(help="The edge that is not waited for.")],
    hour: Annotated[
        list[str], typer.Option("--hour", metavar="YYYY-MM-DDTHH", help="Which hour; repeatable.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the certificate.")],
    by: Annotated[str, typer.Option("--by", help="Who decides it.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Let an hour close as complete without the promise of EDGE.

    Example: edgetoll metering waive edge-7 --hour 2026-10-31T23 --reason "disk lost" --by kim
    """
    from edge.terminal import checked_words, emit, now, parse_time
    from metering.hours import requests

    checked_words(reason=reason, by=by)
    _home_exists(home)
    hours = [parse_time(text) for text in hour]
    for text, time in zip(hour, hours, strict=True):
        if "T" not in text.upper() or time.minute or time.second or time.microsecond:
            raise InputError(f"«{text}» is no hour", "write it like 2026-10-31T23, in UTC")
        if time > now() + timedelta(days=1):
            raise InputError(
                f"the hour {text} is more than a day ahead", "waive an hour that waits"
            )
    _warn_of_unknown(home, edge)
    for time in hours:
        requests.waive(home, edge, time, reason=reason, by=by, at=now())
    document = {"edge": edge, "hours": hour, "reason": reason, "by": by}
    emit(
        document,
        as_json=as_json,
        human=lambda: print(
            f"waived {edge} for {', '.join(hour)}; the worker (or `metering run --drain`) takes it"
        ),
    )


def _warn_of_unknown(home: Path, edge_id: str) -> None:
    """Say so when nobody has heard of the edge: the name may be mistyped."""
    from edge.terminal import warn

    known = {edge.edge_id for edge in _status(home).edges} | _asked(home)["expected"].keys()
    if known and edge_id not in known:
        names = ", ".join(sorted(known)[:8])
        more = f" and {len(known) - 8} more" if len(known) > 8 else ""
        warn(f"metering knows no edge {edge_id}, only {names}{more}; it is noted all the same")


def _home_exists(home: Path) -> None:
    if not home.is_dir():
        raise InputError(f"there is no home {home}", f"make one: edgetoll init {home}")


def _status(home: Path) -> MeteringStatus:
    """What all workers of a home publish, as one; never the running worker's store."""
    from metering.status import read

    _home_exists(home)
    return read(home)


class Waived(TypedDict):
    """An hour that closes without the promise of an edge."""

    edge_id: str
    hour: str
    by: str
    reason: str


class Asked(TypedDict):
    """What people asked of the workers: edge -> time, and hours waived."""

    retired: dict[str, str]
    expected: dict[str, str]
    waived: list[Waived]


def _asked(home: Path) -> Asked:
    """Retirements, expectations and waivers that people asked for."""
    from metering.closed import hour_text
    from metering.hour import time_of, time_text
    from metering.hours import requests

    asked = requests.read(home)
    return Asked(
        retired={edge: time_text(ms) for edge, ms in sorted(asked.retired.items())},
        expected={one.edge_id: time_text(one.from_ms) for one in asked.expected},
        waived=[
            Waived(
                edge_id=one.edge_id,
                hour=hour_text(time_of(ms)),
                by=one.by,
                reason=one.reason,
            )
            for (_, ms), one in sorted(asked.waivers.items())
        ],
    )


def _show(found: MeteringStatus) -> None:
    from edge.terminal import table, warn

    print(
        f"accepted {found.accepted:,}  duplicate {found.duplicate:,}  "
        f"quarantined {found.quarantined:,}"
    )
    print(f"as of {found.fresh_at or 'never'}")
    if found.fresh_at is None:
        print("metering has not run in this home: edgetoll metering run --drain")
    for alarm in found.alarms:
        warn(alarm)
    _show_edges(found)
    states = Counter(hour.state for hour in found.hours)
    print("hours: " + ", ".join(f"{states[name]:,} {name}" for name in STATES))
    table(
        "Hours (newest last; older ones where they are not closed)",
        ("hour", "partition", "state", "accepted", "late", "waiting for or missing"),
        [
            (
                hour.hour,
                hour.partition,
                hour.state,
                f"{hour.accepted:,}",
                f"{hour.late:,}",
                ", ".join(hour.missing_edges),
            )
            for hour in _worth_showing(found.hours)
        ],
        right=("accepted", "late"),
    )
    if found.quarantine:
        table(
            "Quarantine",
            ("reason", "source", "records"),
            [(row.reason, row.source, row.records) for row in found.quarantine],
            right=("records",),
        )


def _worth_showing(hours: Sequence[HourStatus]) -> list[HourStatus]:
    """The newest hours, and before them those that wait for somebody."""
    newest = hours[-HOURS_SHOWN:]
    older = [hour for hour in hours[:-HOURS_SHOWN] if hour.state != "closed"]
    return [*older[-HOURS_SHOWN:], *newest]


def _show_asked(found: MeteringStatus, asked: Asked) -> None:
    """The edges as the worker last saw them, then what people asked for, a line each."""
    from edge.terminal import printable

    _show_edges(found)
    lines = [f"expected: {edge} from {time} on" for edge, time in asked["expected"].items()]
    for edge, time in asked["retired"].items():
        lines.append(f"retired: {edge} is not waited for in hours from {time} on")
    for one in asked["waived"]:
        lines.append(f"waived: {one['edge_id']} in {one['hour']} by {one['by']}: {one['reason']}")
    for line in lines:
        print(printable(line).replace("\n", "\\n"))


def _show_edges(found: MeteringStatus) -> None:
    from edge.terminal import table

    table(
        "Edges",
        EDGE_COLUMNS,
        [
            (
                edge.edge_id,
                edge.region,
                edge.epoch,
                edge.sequence,
                f"{edge.requests:,}",
                f"{edge.refused:,}",
                edge.watermark,
                edge.lag_seconds,
                ", ".join(_gap(gap) for gap in edge.gaps),
            )
            for edge in found.edges
        ],
        right=("sequence", "requests", "refused", "lag_s"),
    )


def _gap(gap: SequenceGap) -> str:
    last = "?" if gap.last_sequence is None else gap.last_sequence
    return f"{gap.epoch}:{gap.first_sequence}-{last}"
