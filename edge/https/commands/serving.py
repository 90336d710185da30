"""`edgetoll edge https check | apply | expiring`: judge an upload, serve, look ahead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import InputError
from edge.https.commands.tables import show_applied, show_check
from edge.https.commands.uploads import check_home, judge_files
from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption, emit, now, table, warn

if TYPE_CHECKING:
    from edge.https.settings import HttpsEdge


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Certificate, then key.")],
    domain: Annotated[str, typer.Option("--domain", help="The name it is to serve.")] = "",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Judge an upload without storing it: one file with all of it, or certificate and key.

    Example: edgetoll edge https check chain.pem key.pem --domain www.shop.example
    """
    from edge.https.upload.names import served_name

    if len(files) > 2:
        raise InputError(f"{len(files)} files were given", "give the certificate and the key")
    name = served_name(domain) if domain else ""
    found = judge_files(home, name, files[0], files[-1])
    document = {
        "usable": found.bundle is not None,
        "certificate": found.bundle.certificate.document() if found.bundle else None,
        "findings": [one.document() for one in found.findings],
    }
    emit(document, as_json=as_json, human=lambda: show_check(found))
    if found.refusals:
        raise typer.Exit(1)


def apply(
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep on: settings and stop list, live in seconds.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Bring this edge's nginx to what is wished; proven by handshakes, else all put back.

    Suspended domains are refused and come back after payment. Exit 1: the edge serves on as before.

    Example: edgetoll edge https apply --watch
    """
    from edge.https.apply import apply as apply_once
    from edge.https.settings import read_settings

    check_home(home)
    edge = read_settings(home)
    if watch:
        _watch(home, edge)
        return
    done = apply_once(home, edge, now=now())
    document = {
        "changed": list(done.changed),
        "reloaded": done.reloaded,
        "waiting": done.waiting,
        "notes": list(done.notes),
        "nginx": done.status.nginx,
    }
    emit(document, as_json=as_json, human=lambda: show_applied(done))
    if done.waiting:
        raise typer.Exit(1)


def expiring(
    days: Annotated[int, typer.Option("--days", min=0, help="How far to look ahead.")] = 30,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """TLS certificates that expire soon, the next first. Exit 1 when there are any.

    Example: edgetoll edge https expiring --days 14
    """
    from edge.https.wishes import Wishes

    check_home(home)
    until = now() + timedelta(days=days)
    found = sorted(
        (
            (one.certificate.not_after, one.domain, one.certificate)
            for one in Wishes(home).all()
            if one.enabled and one.certificate and one.certificate.not_after <= until
        ),
        key=lambda row: row[:2],
    )
    document = [
        {"domain": domain, "expires": at, "days": (at - now()).days, "sha256": leaf.sha256}
        for at, domain, leaf in found
    ]

    def human() -> None:
        if not found:
            print(f"no TLS certificate expires within {days} days")
            return
        rows = [
            (domain, f"{at:%Y-%m-%d %H:%M}", (at - now()).days, leaf.issuer)
            for at, domain, leaf in found
        ]
        table("TLS certificates", ("domain", "expires (UTC)", "days", "issuer"), rows,
              right=("days",))  # fmt: skip

    emit({"expiring": document}, as_json=as_json, human=human)
    if found:
        raise typer.Exit(1)


def _watch(home: Path, edge: HttpsEdge) -> None:
    import signal
    import threading

    from edge.https.agent import watch

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watch(home, edge, stop=stop, say=warn)
