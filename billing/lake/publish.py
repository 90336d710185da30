"""The lake: what analysts see, published as Parquet in versions that change as a whole.

`lake/versions/N/` holds a folder per table, with one file or more for what only grows; a version
shares unchanged files with the one before by hard links, and `lake/CURRENT` names the version to
read, swapped atomically. Old versions go an hour later. Everything here can be deleted and is
written again: a file that is not as it was written is never linked on, but made anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import duckdb

import sql
from billing.checks import red
from billing.lake import version as versions
from billing.lake.building import (
    NO_DAY,
    Building,
    content_of,
    published_through,
    write,
    write_accounts,
    write_whole,
)
from billing.lake.charges import SUMMED_CHARGES, link_open_charges, open_charges, place_charges
from billing.lake.days import MERGED_AT_ONCE, link_open, plan_days, write_days
from billing.lake.tables import TABLES, LakeTable
from billing.lake.version import Version
from billing.store.given import SMALL, TEXT, TIME, Schema, register
from billing.store.store import Store
from billing.zones import RULES, offsets
from edge.crash_point import crash_point
from edge.durable import fsync_folder, write_atomically
from edge.errors import Corrupt

KEEP_SECONDS = 3600
LAKE_CHECK = "lake_version_is_whole"
MERGED_ROWS_MAX = 8_000_000
_OFFSETS: Schema = [
    ("zone", TEXT),
    ("from_utc", TIME),
    ("until_utc", TIME),
    ("offset_seconds", SMALL),
    ("rules", TEXT),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A time zone in which some account is billed."""

    zone: str


def layout() -> str:
    """What the tables of this program's lake look like: another one is not built upon. DuckDB's
    version is in it, since what is said of a table's rows is a hash of that DuckDB's.
    """
    texts = [
        str(versions.FORMAT),
        RULES,
        duckdb.__version__,
        *(sql.text(table.select) for table in TABLES),
    ]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def current(home: Path) -> Version | None:
    """The version that the pointer names; None when there is none that can be read."""
    try:
        return versions.named(home)
    except Corrupt:
        return None


def publish(store: Store) -> Version:
    """Publish the store's present state, unless the current version is that already, and whole."""
    from billing.balance import states

    before = current(store.home)
    suspect = LAKE_CHECK in red.read(store.home).names
    broken = (
        frozenset(file.path for file, _ in versions.broken(before, hashed=suspect))
        if before
        else frozenset()
    )
    last_no, last_hash = store.journal.last_no, store.journal.last_hash
    now_here = (last_no, last_hash, layout())
    if (
        before
        and (before.journal_no, before.journal_hash, before.layout) == now_here
        and not broken
        and not versions.is_older_copy(store.home, before)
    ):
        versions.point_link(store.home, before)
        versions.show(before)
        return before
    place = store.home.joinpath(versions.LAKE) / "versions"
    number = _next_number(place)
    folder = place / f".{number:08d}.building"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    base = (
        before
        if before
        and before.layout == layout()
        and store.journal.hash_at(before.journal_no) == before.journal_hash
        else None
    )
    _give_zone_offsets(store)
    building = Building(store=store, folder=folder, base=base, broken=broken)
    since = published_through(building)
    touched = None if since is None else states.touched(store, since)
    states.prepare_lake(store, now=store.now, accounts=touched)
    days = plan_days(building)
    for table in TABLES:
        if table.kept == "by record":
            _grow(building, table)
        elif table.kept == "by day":
            write_days(building, table, days)
        elif table.kept == "open":
            link_open(building, table, days)
        elif table.kept == "open charges":
            link_open_charges(building, table)
        elif table.kept == "linked":
            place_charges(building, table)
        elif table.kept == "by account":
            write_accounts(building, table, touched)
        else:
            write_whole(building, table)
    return _show(building, place, number, before)


def not_of_this_store(store: Store, version: Version) -> list[str]:
    """The tables of a version, the store's last one, that were taken over from the version before
    though their rows are others now: those that LakeTable.moved_by says too little of.
    """
    ranged = {"after": 0, "through": store.journal.last_no, "day": NO_DAY}
    store.connection.execute(sql.text("statements/lake/publish/set_lake_range"), ranged)
    found = []
    for table in TABLES:
        if table.moved_by is None:
            continue
        content, files = content_of(store, table), version.of(table.name)
        if table.kept == "by record":
            is_now = str(sum(one.rows for one in files)) == content.split()[0]
        else:
            is_now = [one.content for one in files] == [content]
        if not is_now:
            found.append(table.name)
    return found


def _give_zone_offsets(store: Store) -> None:
    """Register the offsets of every account's time zone, which one table of the lake is."""
    zones = sql.rows(
        store.connection.execute(sql.text("statements/lake/publish/account_zones")), Zone
    )
    given = [
        (one.zone, one.from_utc, one.until_utc, one.offset_seconds, RULES)
        for one in offsets((one.zone for one in zones), store.now)
    ]
    register(store.connection, "given_zone_offsets", _OFFSETS, given)


def _show(building: Building, place: Path, number: int, before: Version | None) -> Version:
    """Give the version its list and its name, and point readers to it instead of `before`."""
    journal = building.store.journal
    made = Version(
        folder=place / f"{number:08d}",
        number=number,
        journal_no=journal.last_no,
        journal_hash=journal.last_hash,
        layout=layout(),
        files=tuple(sorted(building.files, key=lambda one: one.path)),
    )
    write_atomically(building.folder.joinpath(versions.HIDDEN_LIST), made.to_bytes())
    for folder in building.folder.iterdir():
        if folder.is_dir():
            fsync_folder(folder)
    crash_point("lake-built")
    os.replace(building.folder, made.folder)
    fsync_folder(place)
    crash_point("lake-named")
    pointer = building.store.home.joinpath(versions.LAKE, versions.POINTER)
    write_atomically(pointer, versions.pointer_bytes(made))
    versions.point_link(building.store.home, made)
    crash_point("lake-published")
    versions.show(made)
    if before is not None:
        with suppress(FileNotFoundError):
            os.utime(before.folder)  # when it was replaced, not made: from now on it is kept
    _remove_old(place, made.folder)
    return made


def _next_number(place: Path) -> int:
    names = [path.name for path in place.glob("*") if path.name.isdigit()]
    return max(map(int, names), default=0) + 1


def _grow(building: Building, table: LakeTable) -> None:
    """Link the files of the version before and add one for the records since; merge small
    neighbours.
    """
    folder = building.place(table)
    ranges: list[tuple[int, int, int]] = []
    for old in building.whole(table.name):
        after, through = (int(part) for part in Path(old.path).stem.split("-"))
        building.link(old)
        ranges.append((after, through, old.rows))
    if ranges and building.stands(table):
        return
    start = building.start if ranges else 0
    if ranges and table.name == SUMMED_CHARGES:
        start = ranges[-1][1]
        if open_charges(building, start) is not None:
            return
    last = building.store.journal.last_no
    path = folder / f"{start:08d}-{last:08d}.parquet"
    made = write(building, table, path, after=start, through=last)
    if made.rows == 0 and ranges:
        building.drop(path)
        return
    ranges.append((start, last, made.rows))
    while count := _alike(ranges):
        first, end = ranges[-count][0], last
        for after, through, _ in ranges[-count:]:
            building.drop(folder / f"{after:08d}-{through:08d}.parquet")
        merged = folder / f"{first:08d}-{end:08d}.parquet"
        made = write(building, table, merged, after=first, through=end)
        ranges[-count:] = [(first, end, made.rows)]


def _alike(ranges: list[tuple[int, int, int]]) -> int:
    """How many of the last files to merge now: those of about the newest one's size, once there
    are enough of them that no row is written more often than its month has powers of that number.
    """
    newest = ranges[-1][2]
    count = sum(1 for _ in takewhile(lambda one: one[2] <= 2 * newest, reversed(ranges)))
    rows = sum(one[2] for one in ranges[-count:])
    return count if count >= MERGED_AT_ONCE and rows <= MERGED_ROWS_MAX else 0


def _remove_old(place: Path, keep: Path) -> None:
    """Remove versions replaced more than an hour ago: a reader that began before has long ended."""
    limit = time.time() - KEEP_SECONDS
    for folder in place.iterdir():
        if folder != keep and folder.stat().st_mtime < limit:
            shutil.rmtree(folder, ignore_errors=True)
