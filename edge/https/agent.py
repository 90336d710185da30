"""`apply --watch`: what is wished and who is stopped are looked at every half second, and what
changed is live within seconds.

Changes that come together are taken together: at most one reload in `reload_seconds`. A refused
apply is said once and tried again when something changed, or after a minute.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from edge.errors import EdgetollError
from edge.https.apply import ApplyResult, apply
from edge.https.settings import HttpsEdge
from edge.https.wishes import FOLDER
from edge.terminal import now

LOOK_SECONDS = 0.5
SETTLE_SECONDS = 0.5
"""A change is taken up once nothing more has come for this long: uploads come in groups."""
AGAIN_SECONDS = 60


def watch(
    home: Path, edge: HttpsEdge, *, stop: threading.Event, say: Callable[[str], None]
) -> None:
    """Apply until `stop` is set."""
    seen: object = None
    applied_seen: object = None
    last_try = 0.0
    last_reload = 0.0
    failed = ""
    while not stop.wait(LOOK_SECONDS if seen is not None else 0):
        present = _look(home, edge)
        settled = present == seen
        seen = present
        due = present != applied_seen or (
            bool(failed) and time.monotonic() - last_try > AGAIN_SECONDS
        )
        if not due or not settled or time.monotonic() - last_reload < edge.reload_seconds:
            continue
        last_try = time.monotonic()
        try:
            done = apply(home, edge, now=now())
        except EdgetollError as error:
            if str(error) != failed:
                say(str(error))
            failed = str(error)
        else:
            failed = _told(done, failed, say)
            if done.reloaded:
                last_reload = time.monotonic()
        applied_seen = present


def _told(done: ApplyResult, failed: str, say: Callable[[str], None]) -> str:
    """Say what was done; the trouble that stands, if any."""
    trouble = "; ".join(done.notes)
    if trouble and trouble != failed:
        say(trouble)
    for name in done.changed if not done.waiting else ():
        line = done.status.domains[name]
        say(f"{name}: {'stopped' if line.stopped else 'live'}")
    return trouble if done.waiting else ""


def _look(home: Path, edge: HttpsEdge) -> object:
    """What would make an apply necessary: names, sizes and times of the files that say it."""
    found: list[tuple[str, int, int]] = []
    folder = home / FOLDER / "domains"
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".json") and not entry.name.startswith("."):
                    at = entry.stat()
                    found.append((entry.name, at.st_size, at.st_mtime_ns))
    except FileNotFoundError:
        pass
    try:
        at = os.stat(home / edge.stop_list)
        found.append(("stop list", at.st_ino, at.st_mtime_ns))
    except FileNotFoundError:
        pass
    return sorted(found)
