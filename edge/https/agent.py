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
from edge.https.apply import apply, tell_mismatches
from edge.https.settings import HttpsEdge
from edge.https.stop_topic import follow
from edge.https.wishes import FOLDER
from edge.terminal import now

LOOK_SECONDS = 0.5
"""A change is taken up once nothing more has come for this long: uploads come in groups."""
GROUP_SECONDS = 5
"""But no later than this after the first of a group."""
WAITING_SECONDS = 5
"""How often it is looked whether an nginx runs by now."""
AGAIN_SECONDS = (5, 60)
"""What was refused is tried again after 5 seconds, then twice as long, at most a minute."""
TELL_SECONDS = 60
"""How often it is looked whether requests came under another name than the handshake's."""


def watch(
    home: Path, edge: HttpsEdge, *, stop: threading.Event, say: Callable[[str], None]
) -> None:
    """Apply until `stop` is set. No refusal, no full disk and no nginx that is away ends it."""
    agent = _Agent(home, edge, say)
    topic = None
    if edge.stop_topic:
        topic = threading.Thread(
            target=follow, args=(home, edge), kwargs={"stop": stop, "say": say}, name="stop topic"
        )
        topic.start()
    while not stop.wait(LOOK_SECONDS):
        agent.look()
    if topic is not None:
        topic.join()


class _Agent:
    """What the watch has seen, applied and said."""

    def __init__(self, home: Path, edge: HttpsEdge, say: Callable[[str], None]) -> None:
        self.home = home
        self.edge = edge
        self.say = say
        self.seen: object = None
        self.applied: object = None
        self.changed_at = 0.0
        self.reloaded_at = -edge.reload_seconds
        self.told_at = time.monotonic()
        self.again_at = float("inf")
        """When what was refused, or waits for nginx, is tried again."""
        self.wait_seconds = AGAIN_SECONDS[0]
        self.trouble = ""

    def look(self) -> None:
        """Apply if something is wished that was not applied, or tried in vain; tell billing."""
        at = time.monotonic()
        present = _look(self.home, self.edge)
        if self.applied is None and not _has_begun(self.home):
            return
        is_quiet = present == self.seen
        if self.seen == self.applied and not is_quiet:
            self.changed_at = at
        self.seen = present
        is_new = present != self.applied and (is_quiet or at - self.changed_at > GROUP_SECONDS)
        if (is_new or at > self.again_at) and at - self.reloaded_at >= self.edge.reload_seconds:
            self._apply()
        if at - self.told_at > TELL_SECONDS:
            self.told_at = at
            self._trying(self._tell)

    def _apply(self) -> None:
        # As it was before: what changes meanwhile is looked at again.
        is_new, self.applied = self.seen != self.applied, self.seen
        self.wait_seconds = AGAIN_SECONDS[0] if is_new else self.wait_seconds * 2
        self.again_at = time.monotonic() + min(self.wait_seconds, AGAIN_SECONDS[1])
        self._trying(self._apply_once)

    def _apply_once(self) -> str:
        done = apply(self.home, self.edge, now=now())
        if done.reloaded:
            self.reloaded_at = time.monotonic()
        self.again_at = time.monotonic() + WAITING_SECONDS if done.waiting else float("inf")
        for name in done.changed if not done.waiting else ():
            line = done.status.domains[name]
            self.say(f"{name}: {'stopped' if line.stopped else 'live'}")
        return "; ".join(done.notes)

    def _tell(self) -> str:
        tell_mismatches(self.home, self.edge, now=now())
        return self.trouble

    def _trying(self, act: Callable[[], str]) -> None:
        """Do it; what is wrong is said once."""
        try:
            trouble = act()
        except EdgetollError as error:
            trouble = str(error)
        except OSError as error:
            trouble = f"{error.strerror or error}: {error.filename or self.home}"
        if trouble and trouble != self.trouble:
            self.say(trouble)
        self.trouble = trouble


def _has_begun(home: Path) -> bool:
    """Whether HTTPS was ever switched on here: before that there is no nginx to look after."""
    return (home / FOLDER / "domains").is_dir() or (home / FOLDER / "nginx").is_dir()


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
