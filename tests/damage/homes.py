"""The homes of the damage pass: real spools, drained by the real program, half a day apart.

Times lie in the last hours before now, since the program asks the clock of the machine.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from pathlib import Path

from edge.spool.spool import Spool
from metering.closed import hour_text
from metering.hour import HOUR_MS, hour_of, time_of
from tests.damage.program import run, seen
from tests.damage.records import Homes
from tests.metering.world import Event, columns

YESTERDAY_HOURS = (9, 8)
TODAY_HOURS = (7, 6)
UNREAD_HOUR = 5
"""Hours before now."""


class Traffic:
    """What the edges of one home have sent, and the truth of it. Homes differ by `weight`."""

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.now_ms = hour_of(time.time_ns() // 1_000_000)
        self.truth: Counter[tuple[str, str]] = Counter()

    def send(self, home: Path, edge: str, hours_ago: int) -> None:
        """Some requests of one edge in one hour, with the promise of its end."""
        begin = self.now_ms - hours_ago * HOUR_MS
        domain = f"www{hours_ago}.example.com"
        count = 20 * self.weight + hours_ago
        folder = home / "spool" / edge
        epoch = 1_000 * self.weight + sum(edge.encode())
        with Spool.open(folder, edge, "DE", random64=lambda: epoch) as spool:
            events = [Event(at=begin + n, domain=domain) for n in range(count)]
            spool.append(columns(events), watermark_ms=begin + HOUR_MS)
        self.truth[hour_text(time_of(begin)), domain] += count


def build(place: Path) -> Homes:
    """Today's home, itself of yesterday, and another one with other numbers."""
    today, yesterday, other = place / "today", place / "yesterday", place / "other"
    traffic = Traffic(weight=1)
    begin(today, traffic)
    shutil.copytree(today, yesterday)
    go_on(today, traffic)
    elsewhere = Traffic(weight=3)
    begin(other, elsewhere)
    go_on(other, elsewhere)
    return Homes(
        today=today,
        yesterday=yesterday,
        other=other,
        truth=dict(traffic.truth),
        seen=seen(today),
    )


def begin(home: Path, traffic: Traffic) -> None:
    """What stood in the home a day ago: hours of two edges, closed."""
    made(run("init", str(home)))
    for hours_ago in YESTERDAY_HOURS:
        traffic.send(home, "edge-1", hours_ago)
        traffic.send(home, "edge-2", hours_ago)
    drained(home)


def go_on(home: Path, traffic: Traffic) -> None:
    """What came since: more closed hours, and an hour of edge-1 that metering has not read."""
    for hours_ago in TODAY_HOURS:
        traffic.send(home, "edge-1", hours_ago)
        traffic.send(home, "edge-2", hours_ago)
    drained(home)
    traffic.send(home, "edge-1", UNREAD_HOUR)


def drained(home: Path) -> None:
    """Metering, as it is run every minute."""
    made(run("metering", "run", "--drain", "--home", str(home)))


def made(ran: object) -> None:
    """The homes themselves must be made without a fault."""
    assert getattr(ran, "code", 1) == 0, ran
