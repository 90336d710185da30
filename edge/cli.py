"""`edgetoll edge`: import finished logs, tail growing ones, ship the spool, say where things
stand.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import InputError
from edge.event import AHEAD_MS_MAX
from edge.instants import now_ms, parse_time, to_ms, utc_text
from edge.terminal import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    emit,
    progress,
    table,
    warn,
)

if TYPE_CHECKING:
    from edge.agent.run import Followed
    from edge.agent.settings import EdgeSettings
    from edge.logs.importer import ImportResult
    from edge.spool.spool import Spool

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Turn access logs into durable batches of request events.\n\n"
    "Example: edgetoll edge import access.log --format nginx --edge e1 --region DE",
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")

FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME|MAPPING.toml",
        help="nginx, nginx-tsv, cloudfront, elb, alb, fastly, caddy, traefik, or a mapping file.",
    ),
]
EdgeOption = Annotated[str, typer.Option("--edge", metavar="ID", help="The edge's own name.")]
RegionOption = Annotated[
    str,
    typer.Option("--region", help="Where it stands: a country code, or a label of the price book."),
]


def checked_names(edge_id: str, region: str) -> None:
    """Raise InputError for an edge id or region that cannot name a folder and travel in a batch."""
    for option, value in (("--edge", edge_id), ("--region", region)):
        if not _NAME.match(value):
            raise InputError(
                f"{option} «{value}» cannot be used",
                "use at most 63 letters, digits, dots, dashes and underscores",
            )


@contextmanager
def open_spool(home: Path, edge_id: str, region: str) -> Iterator[Spool]:
    """The spool of `edge_id` in `home`, for writing; closed at the end."""
    from edge.agent.settings import load as edge_settings
    from edge.agent.status import damage_of
    from edge.spool.spool import Spool

    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    spool = Spool.open(
        home / "spool" / edge_id,
        edge_id,
        region,
        random64=lambda: secrets.randbits(64),
        signer=edge_settings(home).signer(home),
    )
    try:
        for damage in damage_of(spool.status(), spool.folder):
            warn(damage)
        yield spool
    finally:
        spool.close()


@app.command("import")
def import_logs(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Log files, plain or gzip.")],
    form: FormatOption,
    edge_id: EdgeOption,
    region: RegionOption,
    through: Annotated[
        str | None,
        typer.Option(
            "--through",
            metavar="TIME",
            help="Promise that this edge sends nothing earlier any more: hours up to it may close.",
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Read finished log files into the spool, each line once.

    The same file again, also renamed or gzipped, adds nothing; one that grew is continued. Lines
    that cannot be read are counted by reason and kept in HOME/spool/EDGE/rejected.

    Example: edgetoll edge import access.log access.log.1.gz --format nginx --edge e1 --region DE
    """
    from edge.logs.formats.shipped import find_format
    from edge.logs.importer import Importer
    from edge.logs.refused_lines import RejectedLines
    from edge.logs.streams import KnownStreams, Writer

    checked_names(edge_id, region)
    chosen = find_format(form)
    through_ms = None if through is None else _promised(through)
    size = sum(path.stat().st_size for path in files if path.is_file())
    with open_spool(home, edge_id, region) as spool, progress("importing", size) as advance:
        writer = Writer(spool, RejectedLines(spool.folder))
        known = KnownStreams(spool.positions())
        importer = Importer(writer, known, chosen, now_ms=now_ms, advance=advance)
        result = importer.run(files)
        if through_ms is not None and not result.problems:
            spool.heartbeat(through_ms)
    emit(result.document(), as_json=as_json, human=lambda: _show_import(result))
    if result.problems:
        raise InputError(
            "; ".join(result.problems),
            "what could be read is in the spool; import the whole file when you have it",
        )


def _promised(text: str) -> int:
    """What `--through` says, in UTC ms; a promise about days to come is kept, and doubted."""
    through_ms = to_ms(parse_time(text))
    if through_ms > now_ms() + AHEAD_MS_MAX:
        warn(
            f"--through {text} is more than a day ahead: a promise is never taken back, and hours"
            " before it close with what they hold then"
        )
    return through_ms


def _show_import(result: ImportResult) -> None:
    rows: list[tuple[object, ...]] = [
        ("files", f"{result.files:,}"),
        ("lines", f"{result.lines:,}"),
        ("events added", f"{result.events:,}"),
        ("already there", f"{result.duplicates:,}"),
    ]
    if result.unattributable:
        rows.append(("of the events: Host is no domain name", f"{result.unattributable:,}"))
    rows += [(f"skipped: {reason}", f"{n:,}") for reason, n in sorted(result.skipped.items())]
    table("import", ("", "count"), rows, right=("count",))
    for note in dict.fromkeys(result.notes):
        warn(note)


LogOption = Annotated[
    list[Path] | None,
    typer.Option("--log", metavar="PATH", help="A log to follow; may be given several times."),
]
FormatsOption = Annotated[
    list[str] | None,
    typer.Option("--format", metavar="NAME", help="Its format: one for all logs, or one each."),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="beginning|end", help="Where a log starts that is new."),
]
OnceOption = Annotated[
    bool, typer.Option("--once", "--drain", help="Read everything to the end, then exit.")
]
PromiseOption = Annotated[
    bool,
    typer.Option(help="Promise that nothing earlier than now is to come. Not for old lines."),
]
TailThroughOption = Annotated[
    str | None,
    typer.Option("--through", metavar="TIME", help="With --once: promise nothing before it."),
]
PollOption = Annotated[
    float | None, typer.Option("--poll", metavar="SECONDS", help="Wait between looks.")
]

KafkaOption = Annotated[
    str | None,
    typer.Option("--kafka", metavar="HOST:PORT", help="Ship the spool to Kafka from here too."),
]


@app.command()
def tail(
    log: LogOption = None,
    form: FormatsOption = None,
    edge_id: Annotated[str | None, typer.Option("--edge", metavar="ID")] = None,
    region: Annotated[str | None, typer.Option("--region")] = None,
    start_from: FromOption = None,
    once: OnceOption = False,
    promise: PromiseOption = True,
    through: TailThroughOption = None,
    poll: PollOption = None,
    kafka: KafkaOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Follow growing logs into the spool, each line once, over crashes and rotation.

    What is not given here stands in [edge] of edgetoll.toml. Ends cleanly on SIGTERM.

    Example: edgetoll edge tail --log /var/log/nginx/edgetoll.log --format nginx --edge e1
    --region DE --from beginning
    """
    import signal
    import threading

    from edge.agent.run import follow
    from edge.agent.settings import load

    given = {
        "logs": _logs(log, form) if log else None,
        "edge_id": edge_id,
        "region": region,
        "start_from": start_from,
        "poll_seconds": poll,
        "promise": None if promise else False,
    }
    settings = _settings(load(home), {name: v for name, v in given.items() if v is not None})
    if settings.edge_id or settings.region:
        checked_names(settings.edge_id, settings.region)
    if through and not once:
        raise InputError("--through needs --once", "a running agent promises by the clock")
    if kafka and once:
        raise InputError(
            "--kafka is for a running agent", "run edgetoll edge ship --drain after it"
        )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    through_ms = _promised(through) if through else None
    beside = _shipping(home, kafka, settings.edge_id) if kafka else None
    done = follow(home, settings, stop=stop, once=once, through_ms=through_ms, beside=beside)
    _show_tail(done, as_json=as_json)
    if once and done.problems:
        raise InputError("; ".join(done.problems), "run it again when that is repaired")


@contextmanager
def _shipping(home: Path, kafka: str, edge_id: str) -> Iterator[None]:
    """`edge ship` of this edge's spool in a thread of this process."""
    from edge.shipping.run import ShipThread
    from edge.shipping.run import settings as kafka_settings

    thread = ShipThread(home, kafka_settings(home, kafka), edge=edge_id, alarm=warn).start()
    try:
        yield
    finally:
        thread.stop()


def _show_tail(done: Followed, *, as_json: bool) -> None:
    document = {
        "events": done.events,
        "unattributable": done.unattributable,
        "skipped": dict(sorted(done.skipped.items())),
        "watermark_ms": done.watermark_ms,
        "problems": done.problems,
    }
    rows: list[tuple[str, object]] = [
        ("events", f"{done.events:,}"),
        ("of them: Host is no domain name", f"{done.unattributable:,}"),
        ("promise", utc_text(done.watermark_ms) if done.watermark_ms else "none"),
    ]
    rows += [(f"skipped: {reason}", count) for reason, count in sorted(done.skipped.items())]
    emit(document, as_json=as_json, human=lambda: table("tail", ("", "value"), rows))


def _logs(paths: list[Path], formats: list[str] | None) -> list[dict[str, object]]:
    """The logs of the options; one format serves all, else there is one for each."""
    names = formats or ["nginx"]
    if len(names) not in (1, len(paths)):
        raise InputError(
            f"{len(paths)} logs and {len(names)} formats",
            "give one --format, or one for each --log",
        )
    names = names * len(paths) if len(names) == 1 else names
    return [{"path": path, "format": name} for path, name in zip(paths, names, strict=True)]


def _settings(found: EdgeSettings, given: dict[str, object]) -> EdgeSettings:
    """`found` with the options in `given` in place of what stands there."""
    from pydantic import ValidationError

    from edge.agent.settings import EdgeSettings

    try:
        return EdgeSettings.model_validate({**found.model_dump(), **given})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"option {option}: {first['msg']}", "see edgetoll edge tail --help"
        ) from error


def _mount() -> None:
    """Commands that stand in files of their own."""
    from edge.agent.status_command import status
    from edge.https.commands import app as https
    from edge.shipping.command import ship

    app.add_typer(https, name="https")
    app.command()(status)
    app.command()(ship)


_mount()
