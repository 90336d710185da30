"""The charges of a version: the journal's own files as they are, and joined copies of some.

A run leaves a file an hour, and each has rows of every account: who asks what one account was
charged would open all 744 of a month. So files of about one size are joined once there are some,
sorted by account; a row is copied three or four times until its file is large. The journal's files
stay what is charged, and a joined copy that is damaged, or whose files the journal merged itself,
is made of them anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from billing.lake.building import Building, keep_one, write
from billing.lake.tables import LakeTable
from billing.lake.version import VersionFile
from billing.store import charge_files
from billing.store.charge_files import ChargeFile

SUMMED_CHARGES = "charges_daily"
OPEN_CHARGES_MAX = 5
"""So many files of charges wait to be added up by the day; readers add them to the days."""
JOINED_AT_ONCE = 6
JOINED_ROWS_MAX = 2_000_000
"""Sorting so many takes seconds and some 300 MB; more are not joined, their files are few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Charges of records from `first` to `last`: a file of the journal, or a joined one, `old` if
    the version before has it.
    """

    first: int
    last: int
    rows: int
    files: tuple[ChargeFile, ...]
    old: VersionFile | None = None


def place_charges(building: Building, table: LakeTable) -> None:
    """Link the journal's files of charges, and join those that are small. Those of an older form
    are written in the present one, as one file.
    """
    folder = building.place(table)
    listed = charge_files.listed(building.store.connection)
    for one in listed:
        if one.form == "merged":
            _link(building, table, folder, one)
    for part in joined(_kept(building, table, [one for one in listed if one.form == "of a run"])):
        if part.old is not None:
            building.link(part.old)
        elif len(part.files) == 1:
            _link(building, table, folder, part.files[0])
        else:
            _join(building, table, folder, part)
    older_through = max((one.journal_no for one in listed if one.form == "older"), default=0)
    if older_through or not any(folder.iterdir()):  # a table without rows has a file too
        path = folder / f"{0:08d}-{older_through:08d}.parquet"
        before = building.base.of(table.name) if building.base else []
        name = str(path.relative_to(building.folder))
        known = next((one for one in before if one.path == name), None)
        if known is not None and known.path not in building.broken:
            building.link(known)
        else:
            write(building, table, path, through=older_through)


def joined(parts: Iterable[Part]) -> list[Part]:
    """Parts in the order of their records, the last ones joined as long as enough of them are of
    about one size.
    """
    found: list[Part] = []
    for part in sorted(parts, key=lambda one: one.first):
        found.append(part)
        while count := _alike(found):
            last = found[-count:]
            found[-count:] = [
                Part(
                    first=last[0].first,
                    last=last[-1].last,
                    rows=sum(one.rows for one in last),
                    files=tuple(file for one in last for file in one.files),
                )
            ]
    return found


def _alike(parts: Sequence[Part]) -> int:
    """How many of the last parts to join now; 0: none."""
    newest, count, rows = parts[-1].rows, 0, 0
    for part in reversed(parts):
        if part.rows > 2 * newest:
            break
        count, rows = count + 1, rows + part.rows
        if rows > JOINED_ROWS_MAX:  # large ones stay, two years of hours of them: do not count on
            return 0
    return count if count >= JOINED_AT_ONCE else 0


def _kept(building: Building, table: LakeTable, files: Sequence[ChargeFile]) -> Iterator[Part]:
    """What there is: joined files of the version before that have all rows of their records, and
    the journal's files of all other records.
    """
    left = {one.journal_no: one for one in files}
    for old in building.base.of(table.name) if building.base else ():
        if ".joined." not in old.path or old.path in building.broken:
            continue
        first, last = (int(one) for one in Path(old.path).name.split(".")[0].split("-"))
        own = [one for number, one in left.items() if first <= number <= last]
        if sum(one.rows for one in own) == old.rows:
            for one in own:
                del left[one.journal_no]
            yield Part(first=first, last=last, rows=old.rows, files=tuple(own), old=old)
    for number, one in left.items():
        yield Part(first=number, last=number, rows=one.rows, files=(one,))


def _join(building: Building, table: LakeTable, folder: Path, part: Part) -> None:
    """Write the charges of several files as one, sorted by account; Corrupt for one of them that
    is not as it was written.
    """
    for one in part.files:
        charge_files.refuse_damaged_file(one, building.store.journal)
    path = folder / f"{part.first:08d}-{part.last:08d}.joined.{building.numbered()}.parquet"
    made = write(
        building, table, path, after=part.first - 1, through=part.last, select=table.merged
    )
    assert made.rows == part.rows, f"{path} has {made.rows} charges of {part.rows}"


def _link(building: Building, table: LakeTable, folder: Path, one: ChargeFile) -> None:
    """A file of the journal is one of the lake: a charge stands once."""
    journal = building.store.journal
    path = folder.joinpath(one.file)
    name = str(path.relative_to(building.folder))
    if name in building.broken:
        charge_files.refuse_damaged_file(one, journal)
    charge_files.link(journal.effect_path(one.file), path)
    state = path.stat()
    building.files.append(
        VersionFile(
            table=table.name,
            path=name,
            rows=one.rows,
            bytes=state.st_size,
            sha256=one.sha256,
            changed_ns=state.st_mtime_ns,
        )
    )


def open_charges(building: Building, summed: int) -> list[ChargeFile] | None:
    """The files of charges after record `summed`, which no day has yet; None: add them up now,
    since there are some, or one of them is of another form.
    """
    listed = charge_files.listed(building.store.connection)
    found = [one for one in listed if one.journal_no > summed]
    if len(found) > OPEN_CHARGES_MAX or any(one.form != "of a run" for one in found):
        return None
    return found


def link_open_charges(building: Building, table: LakeTable) -> None:
    """The files of charges that no day has yet; without any there is an empty one."""
    folder = building.place(table)
    written = [one for one in building.files if one.table == SUMMED_CHARGES]
    summed = max(int(Path(one.path).stem.split("-")[1]) for one in written)
    for one in open_charges(building, summed) or ():
        _link(building, table, folder, one)
    keep_one(building, table, folder / "none.parquet")
