"""What workers publish in live/: of themselves in status*.json, as records, and usage in files
whose seals say whether they are as they were written. Metering's public account.

Written by worker/live.py, read by `metering status` and by whoever joins the parts of a home.
Nobody opens a running worker's store for it.
"""

from __future__ import annotations

import hashlib
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self, TypeVar, cast

import orjson

from edge.durable import SEAL, lock_holder, sha256_file
from edge.errors import Corrupt
from metering.closed import SequenceGap

T = TypeVar("T")
FOLDER = "live"
SPARE_FILES = 512
"""Beside live files a reader has so many others open."""
ANEW = "metering writes live/ anew within a second of its start: edgetoll metering run"


@dataclass(frozen=True, slots=True, kw_only=True)
class HourStatus:
    """One hour of a partition: what is counted in it, and who is waited for or missing."""

    hour: str
    partition: str
    state: str
    accepted: int
    late: int
    missing_edges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeStatus:
    """One edge: the last sequence read, its promise, how far that lies back, and its holes."""

    edge_id: str
    partition: str
    region: str | None
    epoch: int | None
    sequence: int | None
    batches: int
    requests: int
    watermark: str | None
    lag_seconds: int | None
    expected_until: str | None
    gaps: tuple[SequenceGap, ...]
    refused: int = 0
    held: str = ""
    """Why the edge promises nothing, in its own words; blank while it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineStatus:
    """What was refused for one reason of one source."""

    reason: str
    source: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadStatus:
    """An edge of which not everything durable is counted, why, and since when."""

    edge_id: str
    what: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionStatus:
    """How far one partition is closed, and whose it is."""

    partition: str
    generation: int
    checkpoint: int
    certificates: int
    complete_through: str | None
    flush: int = 0
    """The worker's commit of which all this speaks; 0: of an earlier edgetoll."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFile:
    """A file of live/ that the worker left beside its status, and its SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSeen:
    """A worker that published: its name (empty for one alone), when last, and its partitions."""

    name: str
    fresh_at: str
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteringStatus:
    """All workers of a home together. `fresh_at`: when the one published that did so longest ago;
    None when none ever did.
    """

    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    read: int = 0
    adds_up: bool = True
    fresh_at: str | None = None
    alarms: tuple[str, ...] = ()
    edges: tuple[EdgeStatus, ...] = ()
    hours: tuple[HourStatus, ...] = ()
    quarantine: tuple[QuarantineStatus, ...] = ()
    partitions: tuple[PartitionStatus, ...] = ()
    unread: tuple[UnreadStatus, ...] = ()
    workers: tuple[WorkerSeen, ...] = ()
    files: tuple[LiveFile, ...] = ()

    def with_worker(self, other: MeteringStatus) -> MeteringStatus:
        """This and what one more worker says."""
        times = [time for time in (self.fresh_at, other.fresh_at) if time is not None]
        return MeteringStatus(
            accepted=self.accepted + other.accepted,
            duplicate=self.duplicate + other.duplicate,
            quarantined=self.quarantined + other.quarantined,
            read=self.read + other.read,
            adds_up=self.adds_up and other.adds_up,
            fresh_at=min(times, default=None),
            alarms=self.alarms + other.alarms,
            edges=self.edges + other.edges,
            hours=self.hours + other.hours,
            quarantine=self.quarantine + other.quarantine,
            partitions=self.partitions + other.partitions,
            unread=self.unread + other.unread,
            workers=self.workers + other.workers,
            files=self.files + other.files,
        )


def read(home: Path) -> MeteringStatus:
    """What all workers of a home say; raises Corrupt naming a file that is gone or no status."""
    refuse_lost(home)
    found = MeteringStatus()
    for path in files(home):
        found = found.with_worker(read_file(path))
    return found


def live_files(home: Path, kind: str) -> list[Path]:
    """The live files of a kind (`partition=`, `hours`, `quarantine`) of all workers; Corrupt when
    one is not as a worker wrote it, or what a worker published is gone.
    """
    found = _listed(home, kind)
    for path in found:
        verify(path)
    return found


def _listed(home: Path, kind: str) -> list[Path]:
    refuse_lost(home)
    folder = home / FOLDER
    seals = {path.with_suffix("") for path in folder.glob(f"{kind}*.parquet.sha256")}
    return sorted(seals | set(folder.glob(f"{kind}*.parquet")))


class HeldFiles:
    """Live files held open, so that what is read of them is what was verified, however often their
    worker replaces them: DuckDB opens a file more than once, and would read the new one by the
    description of the old one.

    `places`: where to read each, and the name it has in live/. Until `show` a place is an empty
    file without a name: allowed in DuckDB then, it stays allowed when its file has lost its name.
    Close this when nobody reads any more. Not `held`, for a reader who stays and follows what his
    files become, the places are the files' own, and what is replaced while it is read can be wrong.
    """

    def __init__(self, home: Path, kind: str, *, held: bool = True) -> None:
        """Of a kind, as `live_files`; raises Corrupt as it does."""
        self.places: dict[Path, str] = {}
        self._hidden: dict[int, int] = {}
        self._descriptors: list[int] = []
        try:
            paths = _listed(home, kind)
            _make_room(len(paths))
            for path in paths:
                self._take(path, held=held)
        except BaseException:
            self.close()
            raise

    def _take(self, path: Path, *, held: bool) -> None:
        descriptor = _open_verified(path)
        if not held or sys.platform != "linux":  # elsewhere there are no such places
            os.close(descriptor)
            self.places[path] = path.name
            return
        self._descriptors.append(descriptor)
        shown = os.memfd_create(path.name)
        self._descriptors.append(shown)
        self._hidden[shown] = descriptor
        self.places[Path(f"/proc/self/fd/{shown}")] = path.name

    def show(self) -> Self:
        """Let the places be the files."""
        for shown, descriptor in self._hidden.items():
            os.dup2(descriptor, shown, inheritable=False)
            os.close(descriptor)
            self._descriptors.remove(descriptor)
        self._hidden.clear()
        return self

    def __enter__(self) -> Self:
        return self.show()

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the files go."""
        while self._descriptors:
            os.close(self._descriptors.pop())


def _make_room(files: int) -> None:
    """Let this process hold so many files: a topic may have more partitions than the usual limit
    of open files, which is a soft one.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * files + SPARE_FILES
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def seal_of(path: Path) -> Path:
    """Where the hashes of a live file stand: of what it is, and of what it is about to be."""
    return path.with_name(f"{path.name}.sha256")


def verify(path: Path) -> None:
    """Raise Corrupt when a live file is not what its seal says. Its worker writes the seal first,
    so it is read again for a file that was replaced meanwhile. Without a seal it is believed: the
    worker was of an earlier edgetoll.
    """
    os.close(_open_verified(path))


def _open_verified(path: Path) -> int:
    """The descriptor of a live file that is what its seal says; Corrupt when it is not."""
    known: list[str] | None
    for _ in range(3):
        try:
            known = seal_of(path).read_bytes().decode("ascii", "replace").split()
        except FileNotFoundError:
            known = None
        try:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if known is None or sha256_file(descriptor) in known:
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        except OSError as error:
            raise Corrupt(f"{path} cannot be read: {error.strerror}", ANEW) from error
    raise Corrupt(f"{path} is not what metering wrote: its SHA-256 differs from its seal", ANEW)


def digest_of(document: object) -> str:
    """The SHA-256 of a status as its file names it: of all the rest, keys in order."""
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def lost(home: Path) -> list[Path]:
    """The status files that must be there and are not: workers ran here and rest, and nothing is
    published. One that has just begun has written none. Where others publish, one may have taken
    over what an older worker counted: `check`, which opens their stores, looks at each partition.
    """
    names = [store.stem.removeprefix("usage") for store in sorted(home.glob("usage*.duckdb"))]
    if files(home) or any(lock_holder(home / f"metering{name}.lock") for name in names):
        return []
    return [home / FOLDER / f"status{name}.json" for name in names]


def refuse_lost(home: Path) -> None:
    """Raise Corrupt when what a worker published of itself is gone."""
    for path in lost(home):
        raise Corrupt(f"{path} is missing, though a worker ran here", ANEW)


def files(home: Path) -> list[Path]:
    """The status file of each worker of a home."""
    return sorted((home / FOLDER).glob("status*.json"))


def read_file(path: Path) -> MeteringStatus:
    """What one worker says of itself."""
    try:
        raw = orjson.loads(path.read_bytes())
        seal = raw.pop(SEAL, None)  # an earlier edgetoll wrote none
        if seal is not None and seal != digest_of(raw):
            raise ValueError("it is not as it was written")
        return MeteringStatus(
            accepted=int(raw["accepted"]),
            duplicate=int(raw["duplicate"]),
            quarantined=int(raw["quarantined"]),
            read=int(raw["read"]),
            adds_up=bool(raw["adds_up"]),
            fresh_at=str(raw["fresh_at"]),
            alarms=tuple(map(str, raw["alarms"])),
            edges=tuple(_records(EdgeStatus, raw["edges"])),
            hours=tuple(_records(HourStatus, raw["hours"])),
            quarantine=tuple(_records(QuarantineStatus, raw["quarantine"])),
            partitions=tuple(_records(PartitionStatus, raw["partitions"])),
            unread=tuple(_records(UnreadStatus, raw.get("unread", []))),
            files=tuple(_records(LiveFile, raw.get("files", []))),
            workers=(
                WorkerSeen(
                    name=path.stem.removeprefix("status").removeprefix("-"),
                    fresh_at=str(raw["fresh_at"]),
                    partitions=tuple(str(row["partition"]) for row in raw["partitions"]),
                ),
            ),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Corrupt(
            f"{path} is no status: {error!r}", "remove it: the worker writes it anew"
        ) from error


def _records(kind: Callable[..., T], rows: object) -> Iterator[T]:
    """Each row as a `kind`; what other versions add is passed over."""
    if not isinstance(rows, list):
        raise TypeError(f"{rows!r} is no list")
    known = {field.name for field in fields(cast(type, kind))}
    for row in cast(list[Mapping[str, object]], rows):
        values = {name: row[name] for name in row if name in known}
        for name in ("missing_edges", "gaps"):
            listed = values.get(name)
            if isinstance(listed, list):
                values[name] = tuple(
                    SequenceGap(**one) if isinstance(one, dict) else one for one in listed
                )
        yield kind(**values)
