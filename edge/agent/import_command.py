"""`edgetoll edge import`: its options, what it says, and when it must end with an error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.agent.opened_spool import checked_home, checked_names, open_spool, promised_ms
from edge.errors import InputError
from edge.instants import now_ms
from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption, emit, progress, table, warn

if TYPE_CHECKING:
    from edge.logs.formats.block import Format
    from edge.logs.guessing import Guess
    from edge.logs.importer import ImportResult
    from edge.spool.spool import Spool

FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME|MAPPING.toml",
        help="A name (edgetoll edge formats lists them), a mapping file, or auto.",
    ),
]
LogFormatOption = Annotated[
    str,
    typer.Option(
        "--log-format",
        metavar="STRING|FILE[:NAME]",
        help="The server's own format instead: its string, or the nginx.conf that has it.",
    ),
]
SchemeOption = Annotated[
    str,
    typer.Option(
        "--scheme",
        metavar="http|https|port",
        help="The scheme of all lines, or by the port in them, where the log does not say it.",
    ),
]
HostOption = Annotated[
    str, typer.Option("--host", metavar="NAME", help="The host of all lines, likewise.")
]
EdgeOption = Annotated[str, typer.Option("--edge", metavar="ID", help="The edge's own name.")]
RegionOption = Annotated[
    str,
    typer.Option("--region", help="Where it stands: a country code, or a label of the price book."),
]
ThroughOption = Annotated[
    str | None,
    typer.Option(
        "--through",
        metavar="TIME",
        help="Promise that this edge sends nothing earlier any more: hours up to it may close.",
    ),
]
AllowRefusedOption = Annotated[
    bool,
    typer.Option(
        "--allow-refused",
        help="Take files of which a tenth of the lines or more, or all, cannot be read.",
    ),
]
DropRepeatedOption = Annotated[
    bool,
    typer.Option("--drop-repeated", help="Refuse a line whose request id was seen shortly before."),
]
ZoneOption = Annotated[
    str,
    typer.Option("--zone", metavar="ZONE", help="Where times without a zone are: Asia/Shanghai."),
]


def import_logs(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Log files, packed or not.")],
    edge_id: EdgeOption,
    region: RegionOption,
    form: FormatOption = "",
    log_format: LogFormatOption = "",
    scheme: SchemeOption = "",
    host: HostOption = "",
    zone: ZoneOption = "",
    through: ThroughOption = None,
    allow_refused: AllowRefusedOption = False,
    drop_repeated: DropRepeatedOption = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Read finished log files into the spool, each line once.

    The same file again, also renamed or gzipped, adds nothing; one that grew is continued. Lines
    that cannot be read are counted by reason and kept in HOME/spool/EDGE/rejected. Where they are a
    tenth of a file or more the command fails and makes no promise, unless --allow-refused.

    Example: edgetoll edge import access.log access.log.1.gz --format nginx --edge e1 --region DE
    """
    from edge.logs.importer import Importer, check_files
    from edge.logs.positions import KnownStreams
    from edge.logs.refused_lines import RejectedLines
    from edge.logs.streams import Writer

    checked_names(edge_id, region)
    checked_home(home)
    chosen, guessed = _chosen(files, form, log_format, scheme=scheme, host=host, zone=zone)
    through_ms = None if through is None else promised_ms(through)
    check_files(files)  # before there is a spool: a mistyped name must leave no edge behind
    size = sum(path.stat().st_size for path in files)
    with open_spool(home, edge_id, region) as spool, progress("importing", size) as advance:
        importer = Importer(
            Writer(spool, RejectedLines(spool.folder)),
            KnownStreams(spool.positions()),
            chosen,
            now_ms=now_ms,
            advance=advance,
            drop_repeated=drop_repeated,
        )
        result = importer.run(files)
        if guessed is not None:
            result.notes.insert(0, f"--format auto: {guessed.told()}")
        doubted = [] if allow_refused else result.not_understood
        refused = [*result.problems, *doubted]
        if through_ms is not None and not refused:
            spool.heartbeat(through_ms)
        elif through_ms is not None and spool.status().next_sequence:
            spool.heartbeat(0, held="; ".join(refused))
        _tell_region(spool, result)
    emit(result.document(), as_json=as_json, human=lambda: _show(result))
    _fail(result, doubted, promised=through_ms is not None)


def _chosen(
    files: list[Path], form: str, log_format: str, *, scheme: str, host: str, zone: str
) -> tuple[Format, Guess | None]:
    """The format to read `files` with, and how it was guessed where a person left it open."""
    from edge.logs.formats.shipped import find_format
    from edge.logs.guessing import format_of

    if bool(form) == bool(log_format):
        raise InputError("give one of --format and --log-format", "see edgetoll edge import --help")
    if form == "auto":
        return format_of(files, now_ms(), scheme=scheme, host=host, zone=zone)
    return find_format(form, log_format=log_format, scheme=scheme, host=host, zone=zone), None


def _tell_region(spool: Spool, result: ImportResult) -> None:
    """A region that is not the edge's is a mistake, or a move: it is told (E12)."""
    before = spool.region_before
    if before and before != spool.region:
        result.notes.append(
            f"edge {spool.edge_id} was in region {before}; these events are from {spool.region}"
            if result.events
            else f"nothing was added: edge {spool.edge_id} stays in region {before},"
            f" --region {spool.region} changes nothing"
        )


def _fail(result: ImportResult, doubted: list[str], *, promised: bool) -> None:
    """Raise InputError when something was not read, and say what became of the promise."""
    without = "; no promise was made" if promised else ""
    if result.problems:
        raise InputError(
            "; ".join([*result.problems, *doubted]) + without,
            "what could be read is in the spool; import the whole file when you have it",
        )
    if doubted:
        raise InputError(
            "; ".join(doubted) + without,
            "the notes above say what was wrong with the first line of each reason. Import it again"
            " with the right --format, or as it is with --allow-refused",
        )


def _show(result: ImportResult) -> None:
    rows: list[tuple[object, ...]] = [
        ("files", f"{result.files:,}"),
        ("lines", f"{result.lines:,}"),
        ("events added", f"{result.events:,}"),
        ("already there", f"{result.duplicates:,}"),
    ]
    if result.unattributable:
        rows.append(("of the events: Host is no domain name", f"{result.unattributable:,}"))
    if result.repeated_ids:
        rows.append(("of the lines: request id seen before", f"{result.repeated_ids:,}"))
    rows += [(f"skipped: {reason}", f"{n:,}") for reason, n in sorted(result.skipped.items())]
    table("import", ("", "count"), rows, right=("count",))
    for note in dict.fromkeys(result.notes):
        warn(note)
