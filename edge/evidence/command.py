"""`edgetoll edge evidence`: count the logs of a bill again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.errors import InputError
from edge.instants import now_ms
from edge.terminal import JsonOption, emit, table

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="What a bill was made of.\n\nExample: edgetoll edge evidence verify out.json",
)


@app.callback()
def evidence() -> None:
    """What a bill was made of: the logs that were read, counted again.

    Example: edgetoll edge evidence verify out.json
    """


@app.command()
def verify(
    evidence_file: Annotated[
        Path, typer.Argument(metavar="EVIDENCE", help="What edge import --evidence wrote.")
    ],
    logs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="LOG…", help="The logs, where they lie elsewhere now."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Count the logs again that evidence speaks of: hash, lines, refusals, times and totals.

    Reads only the evidence and the logs, no home. Ends with 1 where anything differs.

    Example: edgetoll edge evidence verify out.json
    """
    from edge.evidence.records import read
    from edge.evidence.tally import file_hash

    elsewhere = {file_hash(path)[0]: path for path in logs or []}
    found: list[dict[str, object]] = []
    for said in read(evidence_file):
        name = str(said["name"])
        place = elsewhere.get(str(said["sha256"]), name)
        differs = _differs(said, place)
        found.append({"file": str(place), "events": said["events"], "differs": differs})
    rows = [(each["file"], f"{each['events']:,}", _told(each["differs"])) for each in found]
    columns = ("file", "events", "result")
    emit(found, as_json=as_json, human=lambda: table("evidence", columns, rows, right=("events",)))
    bad = [each for each in found if each["differs"]]
    if bad:
        raise InputError(
            f"{len(bad)} of {len(found)} files are not what the evidence says",
            "the lines above say in what; compare the files' hashes first",
        )


def _told(differs: object) -> str:
    return "; ".join(map(str, differs)) if isinstance(differs, list) and differs else "the same"


def _differs(said: dict[str, object], place: Path | str) -> list[str]:
    """In what the log differs from what was `said` of it; a `place` that is no file is fetched."""
    from edge.objects.places import is_plain, objects_of

    try:
        if isinstance(place, Path) or is_plain([place]):
            return _compared(said, Path(place))
        (single,) = objects_of([place])
        with single.local() as path:
            return _compared(said, path)
    except InputError as error:
        return [error.message]
    except OSError as error:
        return [f"{place} cannot be read: {error.strerror}"]


def _compared(said: dict[str, object], path: Path) -> list[str]:
    """The same of the file at `path`. Raises InputError and OSError."""
    from edge.evidence.tally import differences, file_hash, recount, recount_rows
    from edge.logs.formats.shipped import find_format

    options = said.get("said")
    words = {str(k): str(v) for k, v in options.items()} if isinstance(options, dict) else {}
    region, form = words.pop("region", ""), words.pop("form", "")
    if form == "counts":
        now, identity = recount_rows(path, region, now_ms()), form
        sha256, size = file_hash(path)
    else:
        found = find_format(form, **words)
        now, (sha256, size) = recount(path, found, now_ms())
        identity = found.identity
    return differences(said, {**now, "sha256": sha256, "bytes": size, "format": identity})
