"""The lake: what analysts see, published as Parquet in versions that change as a whole.

`lake/versions/N/` holds one file per table, or a folder of files for what only grows; a version
shares unchanged files with the one before by hard links, and `lake/CURRENT` names the version to
read, swapped atomically. Old versions go an hour later. Everything here can be deleted and is
written again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pyarrow.parquet as pq

import sql
from billing.store.store import Store
from edge.crash_point import crash_point
from edge.durable import fsync_folder, sha256_file, write_atomically

KEEP_SECONDS = 3600
# Tables that only grow, in files by ranges of journal numbers: a run adds one file, small
# neighbours merge.
GROWING = ("charges", "transfers")
DAILY = "usage_5min"
MERGED_ROWS_MAX = 8_000_000
MERGED_AT_ONCE = 6
DAY_FILES_MAX = 24
_NO_DAY = "2000-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version of the lake: where it lies and up to which journal record it goes."""

    folder: Path
    number: int
    journal_no: int
    journal_hash: str
    layout: str


def layout() -> str:
    """What the tables of this program's lake look like: another one is not built upon."""
    texts = [sql.text(name) for name in sql.names("lake")]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def current(home: Path) -> Published | None:
    """The version that readers see; None when there is none that can be read."""
    pointer = home / "lake" / "CURRENT"
    if not pointer.is_file():
        return None
    folder = home / "lake" / "versions" / pointer.read_text(encoding="utf-8").strip()
    try:
        state = json.loads((folder / "version.json").read_bytes())
    except (OSError, ValueError):
        return None
    return Published(
        folder=folder,
        number=int(folder.name),
        journal_no=state["journal_no"],
        journal_hash=state["journal_hash"],
        layout=state.get("layout", ""),
    )


def publish(store: Store) -> Published:
    """Publish the store's present state, unless the current version is that already."""
    from billing.balance import states

    before = current(store.home)
    last_no, last_hash = store.journal.last_no, store.journal.last_hash
    now_here = (last_no, last_hash, layout())
    if before and (before.journal_no, before.journal_hash, before.layout) == now_here:
        return before
    states.prepare_lake(store, now=store.now)
    versions = store.home / "lake" / "versions"
    number = _next_number(versions)
    building = versions / f".{number:08d}.building"
    if building.exists():
        shutil.rmtree(building)
    building.mkdir(parents=True)
    base = (
        before
        if before
        and before.layout == layout()
        and store.journal.hash_at(before.journal_no) == before.journal_hash
        else None
    )
    for name in sql.names("lake"):
        table = name.rsplit("/", 1)[1]
        if table in GROWING:
            _grow(store, table, building / table, base)
        elif table == DAILY:
            _write_days(store, building / table, base)
        else:
            _write_whole(store, table, building, base)
    state = {"journal_no": last_no, "journal_hash": last_hash, "layout": layout()}
    write_atomically(building / "version.json", json.dumps(state).encode())
    crash_point("lake-built")
    folder = versions / f"{number:08d}"
    os.replace(building, folder)
    fsync_folder(versions)
    write_atomically(store.home / "lake" / "CURRENT", folder.name.encode() + b"\n")
    crash_point("lake-published")
    _remove_old(versions, folder)
    return Published(
        folder=folder,
        number=number,
        journal_no=last_no,
        journal_hash=last_hash,
        layout=layout(),
    )


def _next_number(versions: Path) -> int:
    if not versions.is_dir():
        return 1
    names = [path.name for path in versions.iterdir() if path.name.isdigit()]
    return max(map(int, names), default=0) + 1


def _write(
    store: Store, table: str, path: Path, *, after: int = 0, through: int = 0, day: str = _NO_DAY
) -> int:
    """Write the SELECT of sql/lake/TABLE.sql to `path`; returns its rows.

    The range travels as a session variable: a query with parameters would be held in memory whole.
    """
    hidden = path.with_name(f".{path.name}.tmp")
    store.connection.execute(
        sql.text("statements/billing/set_lake_range"),
        {"after": after, "through": through, "day": day},
    )
    relation = store.connection.sql(sql.text(f"lake/{table}"))
    relation.write_parquet(str(hidden), compression="snappy")
    with open(hidden, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(hidden, path)
    return int(pq.read_metadata(path).num_rows)


def _write_whole(store: Store, table: str, folder: Path, base: Published | None) -> None:
    path = folder / f"{table}.parquet"
    _write(store, table, path)
    if base is None:
        return
    old = base.folder / path.name
    if old.is_file() and sha256_file(old) == sha256_file(path):
        _link(old, path)


def _link(old: Path, path: Path) -> None:
    path.unlink(missing_ok=True)
    os.link(old, path)


def _grow(store: Store, table: str, folder: Path, base: Published | None) -> None:
    """Link the files of the version before and add one for the records since; merge small
    neighbours.
    """
    folder.mkdir()
    ranges: list[tuple[int, int, int]] = []
    if base is not None:
        for old in sorted((base.folder / table).glob("*.parquet")):
            after, through = (int(part) for part in old.stem.split("-"))
            _link(old, folder / old.name)
            ranges.append((after, through, int(pq.read_metadata(old).num_rows)))
    start = base.journal_no if base else 0
    last = store.journal.last_no
    path = folder / f"{start:08d}-{last:08d}.parquet"
    rows = _write(store, table, path, after=start, through=last)
    if rows == 0 and ranges:
        path.unlink()
        return
    ranges.append((start, last, rows))
    while count := _alike(ranges):
        first, end = ranges[-count][0], last
        for after, through, _ in ranges[-count:]:
            (folder / f"{after:08d}-{through:08d}.parquet").unlink()
        merged = folder / f"{first:08d}-{end:08d}.parquet"
        rows = _write(store, table, merged, after=first, through=end)
        ranges[-count:] = [(first, end, rows)]


def _alike(ranges: list[tuple[int, int, int]]) -> int:
    """How many of the last files to merge now: those of about the newest one's size, once there
    are enough of them that no row is written more often than its month has powers of that number.
    """
    newest = ranges[-1][2]
    count = sum(1 for _ in takewhile(lambda one: one[2] <= 2 * newest, reversed(ranges)))
    rows = sum(one[2] for one in ranges[-count:])
    return count if count >= MERGED_AT_ONCE and rows <= MERGED_ROWS_MAX else 0


def _write_days(store: Store, folder: Path, base: Published | None) -> None:
    """Usage in files by day: new imports add a file to their days; a day that moved is written
    anew.
    """
    folder.mkdir()
    start = base.journal_no if base else 0
    last = store.journal.last_no
    files: dict[str, list[Path]] = {}
    for old in sorted((base.folder / DAILY).glob("*.parquet")) if base else ():
        files.setdefault(_day_of(old), []).append(old)
    changed = store.connection.execute(
        sql.text("statements/billing/changed_days"), {"after": start}
    ).fetchall()
    touched: dict[str, bool] = {str(day): bool(moved) for day, moved in changed}
    for day in sorted(files.keys() | touched.keys()):
        old_files = files.get(day, [])
        whole = touched.get(day, False) or (day in touched and len(old_files) >= DAY_FILES_MAX)
        after = 0 if whole else start
        if not whole:
            for old in old_files:
                _link(old, folder / old.name)
        if day in touched:
            path = folder / f"day={day}.{last:08d}.parquet"
            _write(store, DAILY, path, after=after, through=last, day=day)
    if not any(folder.iterdir()):
        _write(store, DAILY, folder / f"day={_NO_DAY}.00000000.parquet")


def _day_of(path: Path) -> str:
    return path.name.removeprefix("day=").split(".")[0]


def _remove_old(versions: Path, keep: Path) -> None:
    """Remove versions replaced more than an hour ago: a reader that began before has long ended."""
    limit = time.time() - KEEP_SECONDS
    for folder in versions.iterdir():
        if folder != keep and folder.stat().st_mtime < limit:
            shutil.rmtree(folder, ignore_errors=True)
