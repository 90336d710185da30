"""`edgetoll edge watch`: what appears in folders and object stores, into the spool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edge.agent.import_command import (
    EdgeOption,
    FormatOption,
    HostOption,
    LogFormatOption,
    RegionOption,
    SchemeOption,
    ZoneOption,
    choose,
    evidence_of,
)
from edge.agent.opened_spool import checked_home, open_spool
from edge.agent.signals import stopped_by_signals
from edge.errors import InputError
from edge.instants import now_ms
from edge.terminal import DEFAULT_HOME, HomeOption, checked_names, say, warn

if TYPE_CHECKING:
    from edge.logs.importer import ImportResult

PollOption = Annotated[
    float, typer.Option("--poll", metavar="SECONDS", min=1, max=86_400, help="Wait between looks.")
]


def watch(
    places: Annotated[
        list[str], typer.Argument(metavar="PLACE…", help="Folders, patterns, s3://BUCKET/PREFIX.")
    ],
    edge_id: EdgeOption,
    region: RegionOption,
    form: FormatOption = "",
    log_format: LogFormatOption = "",
    scheme: SchemeOption = "",
    host: HostOption = "",
    zone: ZoneOption = "",
    poll: PollOption = 60,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Take what appears in folders, patterns and object stores, each object once, until SIGTERM.

    As edge import does; a store that cannot be reached is tried again. It makes no promise: hours
    close by edge import --through, or at their deadline.

    Example: edgetoll edge watch s3://my-logs/cdn --format cloudfront --edge cf --region DE
    """
    from edge.objects.importing import ObjectImporter, keep_on

    checked_names(edge=edge_id, region=region)
    checked_home(home)
    said = {"form": form, "log_format": log_format, "scheme": scheme, "host": host, "zone": zone}
    chosen = None if form == "counts" else choose([], said)
    stop = stopped_by_signals()
    with open_spool(home, edge_id, region) as spool:
        told = evidence_of(spool, chosen, region)
        importer = ObjectImporter(
            spool, told.form, region, now_ms=now_ms, tally=told.tally, took=told.take
        )
        keep_on(importer, places, stop=stop, poll_seconds=poll, tell=_tell)


def _tell(found: ImportResult | InputError) -> None:
    if isinstance(found, InputError):
        warn(f"{found.message}; tried again")
        return
    objects = "1 object" if found.files == 1 else f"{found.files:,} objects"
    say(f"{objects}, {found.events:,} events added, {found.duplicates:,} known before")
    for text in dict.fromkeys([*found.problems, *found.not_understood]):
        warn(text)
