"""`edgetoll edge import`: its options, what it says, and when it must end with an error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from edge.agent.opened_spool import checked_home, open_spool, promised_ms
from edge.errors import InputError
from edge.instants import now_ms
from edge.terminal import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    checked_names,
    emit,
    progress,
    table,
    warn,
)

if TYPE_CHECKING:
    from edge.evidence.import_evidence import ImportEvidence
    from edge.logs.formats.block import Format
    from edge.logs.guessing import Guess
    from edge.logs.importer import ImportResult
    from edge.objects.places import LogObject
    from edge.spool.spool import Spool

_LARGE_BYTES: Final = 64 << 20
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""What mallopt(3) calls them."""
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME|MAPPING.toml",
        help="A name (edgetoll edge formats lists them), a mapping file, auto, or counts.",
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
EvidenceOption = Annotated[
    Path | None,
    typer.Option(
        "--evidence", metavar="OUT.json", help="Write what was counted from each file, with hashes."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The format of an import, what a person said of it, and how it was guessed, if it was."""

    form: Format
    said: dict[str, str]
    guess: Guess | None = None

    def absolute(self) -> dict[str, str]:
        """What was said, with the mapping file by its whole path."""
        form = self.said["form"]
        return self.said | ({"form": str(Path(form).resolve())} if form.endswith(".toml") else {})


def import_logs(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…", help="Logs, packed or not; folders, patterns, or s3://BUCKET/PREFIX."
        ),
    ],
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
    evidence: EvidenceOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Read finished log files into the spool, each line once.

    The same file again, also renamed or gzipped, adds nothing; one that grew is continued. Lines
    that cannot be read are counted by reason and kept in HOME/spool/EDGE/rejected. Where they are a
    tenth of a file or more the command fails and makes no promise, unless --allow-refused.

    Example: edgetoll edge import access.log access.log.1.gz --format nginx --edge e1 --region DE
    """
    from edge.objects.places import is_plain, objects_of

    checked_names(edge=edge_id, region=region)
    checked_home(home)
    through_ms = None if through is None else promised_ms(through)
    # Before there is a spool: a mistyped name must leave no edge behind.
    paths = _checked([Path(name) for name in files]) if is_plain(files) else []
    objects = [] if paths else objects_of(files)
    said = {"form": form, "log_format": log_format, "scheme": scheme, "host": host, "zone": zone}
    chosen = None if form == "counts" else choose(paths, said)
    with open_spool(home, edge_id, region) as spool:
        told = evidence_of(spool, chosen, region, wanted=evidence is not None)
        if objects:
            result = _objects(spool, objects, told, drop_repeated=drop_repeated)
        elif chosen is None:
            result = _usage(spool, paths, told)
        else:
            result = _lines(spool, paths, told, drop_repeated=drop_repeated)
        if chosen is not None and chosen.guess is not None:
            result.notes.insert(0, f"--format auto: {chosen.guess.told()}")
        if evidence is not None:
            told.write(evidence)
        doubted = [] if allow_refused else result.not_understood
        refused = [*result.problems, *doubted]
        if through_ms is not None and not refused:
            spool.heartbeat(through_ms)
        elif through_ms is not None and spool.status().next_sequence:
            spool.heartbeat(0, held=_first_of(refused))
        _tell_of_edges(home, spool, result)
    emit(result.document(), as_json=as_json, human=lambda: _show(result))
    _fail(result, doubted, promised=through_ms is not None)


def _checked(paths: list[Path]) -> list[Path]:
    """`paths`, if each can be opened. Raises InputError."""
    from edge.logs.importer import check_files

    check_files(paths)
    return paths


def choose(files: list[Path], said: dict[str, str]) -> Chosen:
    """The format to read `files` with, and how it was guessed where a person left it open."""
    from edge.logs.formats.shipped import find_format
    from edge.logs.guessing import format_of

    form, beside = said["form"], {key: said[key] for key in ("scheme", "host", "zone")}
    if bool(form) == bool(said["log_format"]):
        raise InputError("give one of --format and --log-format", "see edgetoll edge import --help")
    if form != "auto":
        found = find_format(form, log_format=said["log_format"], **beside)
        return Chosen(form=found, said=said)
    if not files:
        raise InputError("--format auto reads files", "name the format of a folder or a store")
    found, guess = format_of(files, now_ms(), **beside)
    return Chosen(form=found, said=said | {"form": found.name}, guess=guess)


def evidence_of(
    spool: Spool, chosen: Chosen | None, region: str, *, wanted: bool = False
) -> ImportEvidence:
    """Where it is said what an import counted from each of its files."""
    from edge.evidence.import_evidence import ImportEvidence

    said = {"form": "counts", "region": region} if chosen is None else chosen.absolute()
    form = chosen.form if chosen else None
    return ImportEvidence(spool, form, said, now_ms=now_ms(), wanted=wanted)


def _lines(
    spool: Spool, files: list[Path], told: ImportEvidence, *, drop_repeated: bool
) -> ImportResult:
    """The lines of logs into the spool."""
    from edge.logs.importer import Importer
    from edge.logs.positions import KnownStreams
    from edge.logs.refused_lines import RejectedLines
    from edge.logs.streams import Writer

    assert told.form is not None, "files of lines have a format"
    size = sum(path.stat().st_size for path in files)
    if size >= _LARGE_BYTES:
        _keep_freed_memory()
    with progress("importing", size) as advance:
        importer = Importer(
            Writer(spool, RejectedLines(spool.folder), tally=told.tally),
            KnownStreams(spool.positions()),
            told.form,
            now_ms=now_ms,
            advance=advance,
            drop_repeated=drop_repeated,
        )
        result = importer.run(files)
    for path in importer.sources:
        told.take(str(path.resolve()), path, importer)
    return result


def _keep_freed_memory() -> None:
    """Let glibc keep what is freed: to give each block's memory back, and take it again page by
    page, is a twentieth of a large import's CPU. Other C libraries have no such choice.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 32 << 20)
        mallopt(_TRIM_THRESHOLD, 256 << 20)


def _objects(
    spool: Spool, objects: list[LogObject], told: ImportEvidence, *, drop_repeated: bool
) -> ImportResult:
    """What lies in a folder or a store into the spool: rows of usage where there is no format."""
    from edge.objects.importing import ObjectImporter

    size = sum(each.size for each in objects)
    with progress("importing", size) as advance:
        importer = ObjectImporter(
            spool,
            told.form,
            spool.region,
            now_ms=now_ms,
            drop_repeated=drop_repeated,
            tally=told.tally,
            took=told.take,
        )
        return importer.run(objects, advance)


def _usage(spool: Spool, files: list[Path], told: ImportEvidence) -> ImportResult:
    """Rows of usage into the spool."""
    from edge.usage.importing import UsageImporter

    result = UsageImporter(spool, spool.region, now_ms=now_ms()).run(files)
    if not result.problems:
        for path in files:
            told.take(str(path.resolve()), path, None)
    return result


def _tell_of_edges(home: Path, spool: Spool, result: ImportResult) -> None:
    """A log that another edge has read is told (E10), and so is a region that is not the edge's: a
    mistake, or a move (E12).
    """
    from edge.agent.read_twice import read_twice

    result.notes += read_twice(home, spool.edge_id)
    before = spool.region_before
    if before and before != spool.region:
        result.notes.append(
            f"edge {spool.edge_id} was in region {before}; these events are from {spool.region}"
            if result.events
            else f"nothing was added: edge {spool.edge_id} stays in region {before},"
            f" --region {spool.region} changes nothing"
        )


def _first_of(problems: list[str], most: int = 5) -> str:
    """Problems in one line that can be read: a folder of other files has one for each."""
    more = f"; and {len(problems) - most:,} files more" if len(problems) > most else ""
    return "; ".join(problems[:most]) + more


def _fail(result: ImportResult, doubted: list[str], *, promised: bool) -> None:
    """Raise InputError when something was not read, and say what became of the promise."""
    without = "; no promise was made" if promised else ""
    if result.problems:
        raise InputError(
            _first_of([*result.problems, *doubted]) + without,
            "what could be read is in the spool; import the whole file when you have it",
        )
    if doubted:
        raise InputError(
            _first_of(doubted) + without,
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
