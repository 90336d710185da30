"""The journal: an append-only, fsynced, hash-chained file that every money movement passes first.

One record per line of `journal/journal.jsonl`, in canonical JSON. A record holds effects, not
intentions: small values stand in it, tables are immutable Parquet files that it names with their
SHA-256. Its hash covers the hash before it, so a changed byte anywhere breaks the chain. The append
is the commit: what is in the journal has happened, and billing.duckdb is brought up to it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeAlias, TypedDict, final

from edge.crash_point import crash_point
from edge.durable import fsync_folder
from edge.errors import Corrupt

FIRST_HASH = "0" * 64
RECORDS_AT_ONCE = 100
ROWS_AT_ONCE = 1_000_000
"""While the store is brought up to the journal, one transaction takes so many records, and ends
with the record that brings its rows to this: its memory must not grow with the journal."""
_TAIL = len(',"hash":""}') + 64
_BLOCK = 1 << 16
_RESTORE = "restore journal/ from a backup that has this record; never edit it"


@final
class FileEffect(TypedDict):
    """A table: the Parquet file in journal/effects that holds it."""

    file: str
    sha256: str
    rows: int


@final
class InlineEffect(TypedDict):
    """A small value, as JSON in the record itself."""

    json: object


StoredEffects: TypeAlias = Mapping[str, FileEffect | InlineEffect]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record: effects, not intentions."""

    number: int
    kind: str
    at: datetime
    effects: StoredEffects
    previous: str
    hash: str

    @property
    def rows(self) -> int:
        """Rows of its tables."""
        return sum(effect["rows"] for effect in self.effects.values() if "file" in effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A place in the file up to which the chain was verified: a record, and where its line ends."""

    number: int
    hash: str
    end: int


BEGINNING = Anchor(number=0, hash=FIRST_HASH, end=0)


def canonical(document: object) -> bytes:
    """The one JSON form of `document`: sorted keys, no spaces, no floats (FAULTS G25), UTF-8."""
    _refuse_floats(document)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError(f"a float ({value}) may not enter the journal")
    if isinstance(value, Mapping):
        for inner in value.values():
            _refuse_floats(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _refuse_floats(inner)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFacts:
    """What the person on call wants to know of the journal: how long it is, and when its whole
    chain was last verified, through which record.
    """

    records: int
    last_hash: str
    size_bytes: int
    verified_at: datetime | None
    verified_no: int


class Journal:
    """The journal of one home. The caller holds HOME/billing.lock; nobody else writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "journal.jsonl"
        self.effects_folder = folder / "effects"
        self.last = BEGINNING

    @property
    def last_no(self) -> int:
        """The number of the last record."""
        return self.last.number

    @property
    def last_hash(self) -> str:
        """The hash of the last record."""
        return self.last.hash

    def verify(self, since: Anchor = BEGINNING) -> bytes:
        """Check every hash of the chain behind `since` and find its end; Corrupt names the first
        record that is wrong. Returns the bytes behind the last whole record, left in place: `cut`
        removes them, once the caller knows that no store is ahead of the journal.
        """
        if not self._stands(since):
            since = BEGINNING
        number, last_hash, end, torn = since.number, since.hash, since.end, b""
        for line in self._lines(since.end):
            if not line.endswith(b"\n"):
                torn = line
                break
            number += 1
            last_hash = _checked_hash(line[:-1], number, last_hash)
            end += len(line)
        if torn and _is_whole(torn[:-1], last_hash):
            raise Corrupt(f"journal record {number + 1} has a damaged end of line", _RESTORE)
        if torn and _is_whole(torn, last_hash):  # only its newline is missing: it counts
            number, last_hash, end = number + 1, _hash_of(torn), end + len(torn) + 1
            self._append_bytes(b"\n")
            torn = b""
        self.last = Anchor(number=number, hash=last_hash, end=end)
        return torn

    def cut(self, torn: bytes) -> None:
        """Cut the bytes of a torn last record that `verify` found; they are kept in a file."""
        if not torn:
            return
        keep = self.folder / f"torn-after-{self.last_no}.bin"
        keep.write_bytes(torn)
        with open(self.path, "r+b") as file:
            file.truncate(self.last.end)
            file.flush()
            os.fsync(file.fileno())

    def next_record(self, kind: str, effects: StoredEffects, *, at: datetime) -> Record:
        """The record that `append` would write next, hashed to the chain."""
        number = self.last_no + 1
        body = _body(number, kind, at, effects, self.last_hash)
        return Record(
            number=number,
            kind=kind,
            at=at,
            effects=effects,
            previous=self.last_hash,
            hash=hashlib.sha256(body).hexdigest(),
        )

    @staticmethod
    def line(record: Record) -> bytes:
        """The line of the file that holds `record`."""
        body = _body(record.number, record.kind, record.at, record.effects, record.previous)
        return body[:-1] + b',"hash":"' + record.hash.encode() + b'"}\n'

    def append(self, record: Record) -> None:
        """Write `record` and fsync: on return it has happened, whatever happens to the store."""
        if record.number != self.last_no + 1 or record.previous != self.last_hash:
            raise Corrupt(f"record {record.number} does not continue the journal", _RESTORE)
        line = self.line(record)
        new = not self.path.exists()
        crash_point("journal-before-append")
        self._append_bytes(line)
        if new:
            fsync_folder(self.folder)
        crash_point("journal-after-append")
        self.last = Anchor(number=record.number, hash=record.hash, end=self.last.end + len(line))

    def records(self, after: int = 0) -> Iterator[Record]:
        """The records with a number above `after`, in order; call `verify` first."""
        lines = self._lines(self._end_of(min(after, self.last_no)))
        for number, line in enumerate(lines, start=after + 1):
            if number <= self.last_no:
                yield _parse(line, number)

    def of_kind(self, kind: str, after: int = 0) -> Iterator[Record]:
        """Those records of `records` that are of one kind; the others are not parsed."""
        stated = f'"kind":"{kind}"'.encode()
        lines = self._lines(self._end_of(min(after, self.last_no)))
        for number, line in enumerate(lines, start=after + 1):
            if stated in line and number <= self.last_no:
                record = _parse(line, number)
                if record.kind == kind:
                    yield record

    def hash_at(self, number: int) -> str | None:
        """The hash of record `number`; of 0 the chain's beginning; None without such a record."""
        if number == 0:
            return FIRST_HASH
        if not 0 < number <= self.last_no:
            return None
        return _hash_of(self._line_ending_at(self._end_of(number))[:-1])

    @staticmethod
    def effect_file(number: int, name: str) -> str:
        """The name of the Parquet file that holds effect `name` of record `number`."""
        return f"{number:08d}-{name}.parquet"

    def effect_path(self, file: str) -> Path:
        """Where the Parquet file named in a record lies."""
        return self.effects_folder.joinpath(file)

    def _lines(self, begin: int) -> Iterator[bytes]:
        if not self.path.exists():
            return
        with open(self.path, "rb") as file:
            file.seek(begin)
            yield from file

    def _stands(self, anchor: Anchor) -> bool:
        """Whether the file has the record of `anchor` where it says."""
        if not self.path.exists() or not 1 <= anchor.end <= self.path.stat().st_size:
            return False
        line = self._line_ending_at(anchor.end)
        return (
            line.endswith(b"\n")
            and _is_hashed(line[:-1])
            and _hash_of(line[:-1]) == anchor.hash
            and _parse(line, anchor.number).number == anchor.number
        )

    def _line_ending_at(self, end: int) -> bytes:
        with open(self.path, "rb") as file:
            begin = next(_newlines_back(file, end - 1), -1) + 1
            file.seek(begin)
            return file.read(end - begin)

    def _end_of(self, number: int) -> int:
        """Where the line of record `number` ends: sought from the end, where what is asked for
        lies.
        """
        if number == 0:
            return 0
        back = self.last_no - number
        if back == 0:
            return self.last.end
        with open(self.path, "rb") as file:
            return next(islice(_newlines_back(file, self.last.end - 1), back - 1, None)) + 1

    def _append_bytes(self, data: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            begin = os.lseek(descriptor, 0, os.SEEK_END)
            try:
                left = memoryview(data)
                while left:  # a disk that fills up takes a part, and says why at the next
                    left = left[os.write(descriptor, left) :]
                os.fsync(descriptor)
            except OSError:
                # Disk full, or a failed fsync: take back what was written, so that this process and
                # the next see the same end. If that fails too, the torn record is cut at the next
                # start.
                os.ftruncate(descriptor, begin)
                os.fsync(descriptor)
                raise
        finally:
            os.close(descriptor)


def _body(number: int, kind: str, at: datetime, effects: StoredEffects, previous: str) -> bytes:
    instant = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return canonical(
        {"at": instant, "effects": effects, "kind": kind, "number": number, "previous": previous}
    )


def _hash_of(line: bytes) -> str:
    return line[-66:-2].decode("ascii", "replace")


def _is_hashed(line: bytes) -> bool:
    """Whether `line` (no newline) ends in the hash of its own content."""
    if len(line) <= _TAIL or line[-_TAIL:-66] != b',"hash":"' or not line.endswith(b'"}'):
        return False
    return hashlib.sha256(line[:-_TAIL] + b"}").hexdigest() == _hash_of(line)


def _is_whole(line: bytes, previous: str) -> bool:
    """Whether `line` (no newline) is a record whose hash fits and that continues `previous`."""
    link = b'"previous":"' + previous.encode() + b'"'
    return _is_hashed(line) and line[:-_TAIL].endswith(link)


def _newlines_back(file: BinaryIO, end: int) -> Iterator[int]:
    """Where the newlines before byte `end` stand, the last one first."""
    while end > 0:
        begin = max(0, end - _BLOCK)
        file.seek(begin)
        block = file.read(end - begin)
        place = block.rfind(b"\n")
        while place >= 0:
            yield begin + place
            place = block.rfind(b"\n", 0, place)
        end = begin


def _checked_hash(line: bytes, number: int, previous: str) -> str:
    if not _is_whole(line, previous):
        raise Corrupt(
            f"journal record {number} does not match its hash or its predecessor", _RESTORE
        )
    return _hash_of(line)


def _parse(line: bytes, number: int) -> Record:
    document = json.loads(line)
    if document["number"] != number:
        raise Corrupt(f"journal line {number} holds record {document['number']}", _RESTORE)
    return Record(
        number=number,
        kind=document["kind"],
        at=datetime.fromisoformat(document["at"]),
        effects=document["effects"],
        previous=document["previous"],
        hash=document["hash"],
    )


def newest_at(path: Path) -> datetime | None:
    """When the last whole record of the journal at `path` happened; None if there is none."""
    try:
        with open(path, "rb") as file:
            ends = islice(_newlines_back(file, file.seek(0, os.SEEK_END)), 2)
            last, before = next(ends, -1), next(ends, -1)
            if last < 0:
                return None
            file.seek(before + 1)
            return datetime.fromisoformat(json.loads(file.read(last - before - 1))["at"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None  # what is damaged is told by whoever opens the store


def grouped(records: Iterable[Record]) -> Iterator[list[Record]]:
    """The records in order, in lists of one transaction each."""
    group: list[Record] = []
    rows = 0
    for record in records:
        group.append(record)
        rows += record.rows
        if len(group) >= RECORDS_AT_ONCE or rows >= ROWS_AT_ONCE:
            yield group
            group, rows = [], 0
    if group:
        yield group
