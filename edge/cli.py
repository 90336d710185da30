"""`edgetoll edge`: import finished logs, tail growing ones, ship the spool, say where things
stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import InputError
from edge.instants import utc_text
from edge.terminal import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    checked_names,
    emit,
    table,
    warn,
)

if TYPE_CHECKING:
    from edge.agent.run import Followed
    from edge.agent.settings import EdgeSettings

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Turn access logs into durable batches of request events.\n\n"
    "Example: edgetoll edge import access.log --format nginx --edge e1 --region DE",
)

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

RotatedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rotated",
        metavar="GLOB",
        help="Where rotated files are, if not beside the log ('/var/log/old/*.log*').",
    ),
]
AllowRefusedOption = Annotated[
    bool | None,
    typer.Option(
        "--allow-refused/--no-allow-refused",
        help="Promise though a tenth of a log's lines or more cannot be read.",
    ),
]
DropRepeatedOption = Annotated[
    bool | None,
    typer.Option(
        "--drop-repeated/--no-drop-repeated",
        help="Refuse a line whose request id was seen shortly before.",
    ),
]
GiveUpOption = Annotated[
    bool,
    typer.Option("--give-up", help="Files that were begun and cannot be found are gone for good."),
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
    rotated: RotatedOption = None,
    allow_refused: AllowRefusedOption = None,
    drop_repeated: DropRepeatedOption = None,
    give_up: GiveUpOption = False,
    kafka: KafkaOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Follow growing logs into the spool, each line once, over crashes and rotation.

    What is not given here stands in [edge] of edgetoll.toml. Ends cleanly on SIGTERM.

    Example: edgetoll edge tail --log /var/log/nginx/edgetoll.log --format nginx --edge e1
    --region DE --from beginning
    """
    from edge.agent.opened_spool import promised_ms
    from edge.agent.run import follow
    from edge.agent.settings import load
    from edge.agent.signals import stopped_by_signals

    found = load(home)
    settings = _settings(
        found,
        logs=_logs(log, form, rotated) if log else _rotated(found, rotated),
        edge_id=edge_id,
        region=region,
        start_from=start_from,
        poll_seconds=poll,
        promise=None if promise else False,
        allow_refused=allow_refused,
        drop_repeated=drop_repeated,
    )
    if settings.edge_id or settings.region:
        checked_names(edge=settings.edge_id, region=settings.region)
    if through and not once:
        raise InputError("--through needs --once", "a running agent promises by the clock")
    if kafka and once:
        raise InputError("--kafka is for a running agent", "run edgetoll edge ship after it")
    stop = stopped_by_signals()
    through_ms = promised_ms(through) if through else None
    beside = _shipping(home, kafka, settings.edge_id) if kafka else None
    how = {"once": once, "give_up": give_up}
    done = follow(home, settings, stop=stop, through_ms=through_ms, beside=beside, **how)
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
        "repeated_ids": done.repeated_ids,
        "nul_bytes": done.nul_bytes,
        "examples": done.examples,
    }
    rows: list[tuple[str, object]] = [
        ("events", f"{done.events:,}"),
        ("of them: Host is no domain name", f"{done.unattributable:,}"),
        ("promise", utc_text(done.watermark_ms) if done.watermark_ms else "none"),
    ]
    rows += [(f"skipped: {reason}", count) for reason, count in sorted(done.skipped.items())]
    emit(document, as_json=as_json, human=lambda: table("tail", ("", "value"), rows))


def _rotated(found: EdgeSettings, rotated: list[str] | None) -> list[dict[str, object]] | None:
    """The logs of the settings with other patterns of rotated files; None where none are given."""
    if not rotated:
        return None
    return [{**each.model_dump(), "rotated": rotated} for each in found.logs]


def _logs(
    paths: list[Path], formats: list[str] | None, rotated: list[str] | None
) -> list[dict[str, object]]:
    """The logs of the options; one format serves all, else there is one for each."""
    names = formats or ["nginx"]
    if len(names) not in (1, len(paths)):
        raise InputError(
            f"{len(paths)} logs and {len(names)} formats",
            "give one --format, or one for each --log",
        )
    names = names * len(paths) if len(names) == 1 else names
    return [
        {"path": path, "format": name, "rotated": rotated or []}
        for path, name in zip(paths, names, strict=True)
    ]


def _settings(found: EdgeSettings, **options: object) -> EdgeSettings:
    """`found` with `options` in place of what stands there, where they are not None."""
    from pydantic import ValidationError

    from edge.agent.settings import EdgeSettings

    try:
        given = {name: value for name, value in options.items() if value is not None}
        return EdgeSettings.model_validate({**found.model_dump(), **given})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"option {option}: {first['msg']}", "see edgetoll edge tail --help"
        ) from error


def _mount() -> None:
    """Commands that stand in files of their own."""
    from edge.agent.formats_command import app as formats
    from edge.agent.import_command import import_logs
    from edge.agent.status_command import status
    from edge.agent.watch_command import watch
    from edge.evidence.command import app as evidence
    from edge.https.commands.app import app as https
    from edge.shipping.command import ship

    app.add_typer(formats, name="formats")
    app.add_typer(evidence, name="evidence")
    app.add_typer(https, name="https")
    app.command("import")(import_logs)
    app.command()(watch)
    app.command()(status)
    app.command()(ship)


_mount()
