"""Usage in files by day, and the sums of it that readers ask for.

Of what a run imports each day gets a file of usage_5min. The sums by hour, by day and for bandwidth
are not written by each run: its files are linked as usage_open, which readers add to the sums, and
only when there are some are they all added up. So an hour's usage is written once, not four times.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import sql
from billing.lake.building import NO_DAY, Building, keep_one, merge, write
from billing.lake.tables import TABLES, LakeTable
from billing.lake.version import VersionFile

MERGED_AT_ONCE = 6
"""So many files of sums of a day, or files that no sum has yet, are added up at once."""
DAY_FILES_MAX = 24
DETAIL, OPEN = "usage_5min", "usage_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """A day of usage to write since the version before; `moved`: its published rows changed too."""

    day: object
    moved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """What a version does with its sums: bring them `up`, or leave them where they stand, which is
    the journal record `summed`. `anew`: all of them are written again, from the first usage on.
    """

    up: bool
    anew: bool
    summed: int


def plan_days(building: Building) -> DayPlan:
    """Bring sums up when enough is open, when a day that is published is written anew, and where
    the version before is not as it was written.
    """
    files = {table.name: building.whole(table.name) for table in TABLES if table.kept == "by day"}
    opened = building.whole(OPEN)
    if not opened or not all(files.values()):
        return DayPlan(up=True, anew=True, summed=0)
    summed = min(_summed(one) for one in opened)
    details = _by_day(files[DETAIL], "")
    changed = _changed(building, building.start)
    publishes = {Path(one.path).name.split(".")[-2] for one in opened if one.rows}
    up = len(publishes) + bool(changed) >= MERGED_AT_ONCE or any(
        moved or len(details.get(day, ())) >= DAY_FILES_MAX for day, moved in changed.items()
    )
    return DayPlan(up=up, anew=False, summed=summed)


def write_days(building: Building, table: LakeTable, plan: DayPlan) -> None:
    """A table of usage by day: new imports add a file to their days; a day that moved is written
    anew, and files of sums are added up once there are some; a day that was pruned goes. Where a
    file of the version before is not as it was written, all days are written anew.
    """
    folder = building.place(table)
    last = building.store.journal.last_no
    again = table.merged is not None and plan.anew
    files = _by_day([] if again else building.whole(table.name), _pruned(building))
    if table.merged is not None and not plan.up:
        for old in (one for day in files.values() for one in day):
            building.link(old)
        return
    start = 0
    if files:
        start = building.start if table.merged is None else plan.summed
    changed = _changed(building, start)
    for day in sorted({*files, *changed}):
        old_files = files.get(day, [])
        grown = day in changed and len(old_files) >= DAY_FILES_MAX
        whole = changed.get(day, False) or (grown and table.merged is None)
        if not whole:
            for old in old_files:
                building.link(old)
        if day in changed:
            path = folder / f"day={day}.{last:08d}.parquet"
            write(building, table, path, after=0 if whole else start, through=last, day=day)
            if table.merged and not whole and len(old_files) + 1 >= MERGED_AT_ONCE:
                parts = [path, *(building.folder.joinpath(old.path) for old in old_files)]
                merge(building, table, path, parts)
    if not any(folder.iterdir()):
        write(building, table, folder / f"day={NO_DAY}.00000000.parquet")


def link_open(building: Building, table: LakeTable, plan: DayPlan) -> None:
    """The files of usage that no sum has yet; the record up to which sums stand is in their names.
    Without any there is an empty one.
    """
    folder = building.place(table)
    summed = building.store.journal.last_no if plan.up else plan.summed
    if not plan.up:
        pruned = _pruned(building)
        waiting = [one for one in building.whole(OPEN) if one.rows and _day_of(one) >= pruned]
        for old in waiting:
            building.link(old)
        known = {one.path for one in building.base.of(DETAIL)} if building.base else set()
        for new in [one for one in building.files if one.table == DETAIL]:
            if new.path not in known and new.rows:
                path = folder / f"{summed:08d}.{Path(new.path).name}"
                os.link(building.folder.joinpath(new.path), path)
                name = str(path.relative_to(building.folder))
                building.files.append(replace(new, table=OPEN, path=name))
    keep_one(building, table, folder / f"{summed:08d}.day={NO_DAY}.00000000.parquet")


def _changed(building: Building, start: int) -> dict[str, bool]:
    """The days with new usage since a record, and whether rows of before moved in them."""
    found = building.store.connection.execute(
        sql.text("statements/lake/publish/changed_days"), {"after": start}
    )
    return {str(one.day): one.moved for one in sql.rows(found, _Changed)}


def _pruned(building: Building) -> str:
    """The day before which usage is gone; blank: all is there."""
    if building.pruned is None:
        building.pruned = building.store.value("statements/lake/publish/pruned_day") or ""
    return str(building.pruned)


def _by_day(files: Iterable[VersionFile], pruned: str) -> dict[str, list[VersionFile]]:
    found: dict[str, list[VersionFile]] = {}
    for one in files:
        if _day_of(one) >= pruned:
            found.setdefault(_day_of(one), []).append(one)
    return found


def _day_of(file: VersionFile) -> str:
    return Path(file.path).name.partition("day=")[2].split(".")[0]


def _summed(file: VersionFile) -> int:
    return int(Path(file.path).name.split(".")[0])
