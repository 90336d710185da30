"""Checkpoints: one immutable file that holds a partition's state, and the claims on a partition.

    closed/checkpoints/partition=NNN/000000000012.checkpoint   state after closing round 12
                                     generation-000000007      worker 7 has taken the partition
                                     accepted_batches-….parquet  digests since the round before

A checkpoint is written before the certificates of its round and names them with their content: its
exclusive creation is the commit of the round, and whoever finds it can finish the round. A worker
that lost its disk loads the newest one and continues from the positions in it.

Content: a line of magic, Arrow IPC streams (one per table), a JSON head, its length, and the
SHA-256 of everything before.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import IOBase
from pathlib import Path

import pyarrow as pa

from edge.durable import create_exclusively, fsync_folder
from edge.errors import Corrupt
from metering.closed import CLOSED_FOLDER

MAGIC = b"EDGETOLL-CHECKPOINT-1\n"
KEPT = 8
_LENGTH = struct.Struct("<Q")
_SHA_BYTES = 32
_CHECKPOINT = re.compile(r"^(\d{12})\.checkpoint$")
_GENERATION = re.compile(r"^generation-(\d{9})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A certificate of the round and the data it vouches for; paths are relative to the home."""

    prepared: str
    data: str
    data_sha256: str
    certificate: str
    text: str
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """A file with rows of a windowed table, named by the checkpoints whose window reaches it."""

    table: str
    file: str
    sha256: str
    newest_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a checkpoint says of itself."""

    partition: str
    generation: int
    number: int
    written_at: str
    pending: tuple[Pending, ...]
    sidecars: tuple[Sidecar, ...]
    tables: tuple[tuple[str, int, int], ...] = ()


def folder(home: Path, partition: str) -> Path:
    """Where the checkpoints and claims of a partition lie."""
    return home / CLOSED_FOLDER / "checkpoints" / f"partition={partition}"


def numbers(home: Path, partition: str) -> list[int]:
    """The numbers of the checkpoints on disk, rising."""
    return _numbered(folder(home, partition), _CHECKPOINT)


def newest_generation(home: Path, partition: str) -> int:
    """The newest claim on a partition; 0 when nobody has taken it."""
    return max(_numbered(folder(home, partition), _GENERATION), default=0)


def claim(home: Path, partition: str, owner: str, known: int = 0) -> int:
    """Take the partition: the next generation, created exclusively; older owners stop.

    It is beyond `known`, the last one that the store has heard of, whatever claims were lost.
    """
    place = folder(home, partition)
    while True:
        generation = max(newest_generation(home, partition), known) + 1
        try:
            create_exclusively(place / f"generation-{generation:09d}", owner.encode() + b"\n")
        except FileExistsError:
            continue
        for older in _numbered(place, _GENERATION):
            if older < generation:
                (place / f"generation-{older:09d}").unlink(missing_ok=True)
        return generation


def path_of(home: Path, partition: str, number: int) -> Path:
    """The file of checkpoint `number`."""
    return folder(home, partition) / f"{number:012d}.checkpoint"


def write(path: Path, head: Head, tables: Iterable[tuple[str, Iterator[pa.RecordBatch]]]) -> None:
    """Create the checkpoint `path` whole, durable and exclusively, else FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.g{head.generation}")
    with open(hidden, "w+b") as file:
        file.write(MAGIC)
        places = []
        for name, batches in tables:
            begins = file.tell()
            _write_stream(file, batches)
            places.append((name, begins, file.tell() - begins))
        text = json.dumps(_document(head, places), sort_keys=True).encode()
        file.write(text)
        file.write(_LENGTH.pack(len(text)))
        file.flush()
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0, os.SEEK_END)
        file.write(digest)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(hidden, path)
    finally:
        os.unlink(hidden)
    fsync_folder(path.parent)


def read_head(path: Path) -> Head:
    """The head of a checkpoint after checking the hash of the whole file; raises Corrupt."""
    return _open(path)[0]


def read(path: Path) -> tuple[Head, dict[str, pa.Table]]:
    """Head and tables of a checkpoint; raises Corrupt when a byte of it differs."""
    head, content = _open(path)
    tables = {}
    for name, begins, length in head.tables:
        with pa.ipc.open_stream(content.slice(begins, length)) as stream:
            tables[name] = stream.read_all()
    return head, tables


def prune(home: Path, partition: str, keep: Iterable[str]) -> None:
    """Remove all but the newest checkpoints, and sidecars that no kept one can need."""
    place = folder(home, partition)
    for number in numbers(home, partition)[:-KEPT]:
        path_of(home, partition, number).unlink(missing_ok=True)
    kept = set(keep)
    oldest = min(numbers(home, partition), default=0)
    for entry in place.glob("*.parquet"):
        made = int(entry.stem.rsplit("-", 2)[-2])
        if entry.name not in kept and made < oldest:
            entry.unlink(missing_ok=True)


def _numbered(place: Path, pattern: re.Pattern[str]) -> list[int]:
    try:
        names = os.listdir(place)
    except FileNotFoundError:
        return []
    return sorted(int(match[1]) for name in names if (match := pattern.match(name)))


def _write_stream(file: IOBase, batches: Iterator[pa.RecordBatch]) -> None:
    first = next(batches)
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(file, first.schema, options=options) as stream:
        stream.write_batch(first)
        for batch in batches:
            stream.write_batch(batch)


def _document(head: Head, places: list[tuple[str, int, int]]) -> dict[str, object]:
    return {
        "format": 1,
        "partition": head.partition,
        "generation": head.generation,
        "number": head.number,
        "written_at": head.written_at,
        "pending": [_plain(one) for one in head.pending],
        "sidecars": [_plain(one) for one in head.sidecars],
        "message_files": [],
        "tables": places,
    }


def _plain(record: Pending | Sidecar) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__slots__}


def _open(path: Path) -> tuple[Head, pa.Buffer]:
    try:
        with open(path, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise Corrupt(f"{path} cannot be read: {error}", _HINT) from error
    body = len(mapped) - _SHA_BYTES
    tail = body - _LENGTH.size
    fits = tail > len(MAGIC) and mapped[: len(MAGIC)] == MAGIC
    if not fits or hashlib.sha256(memoryview(mapped)[:body]).digest() != mapped[body:]:
        raise Corrupt(f"{path} is damaged: its hash differs", _HINT)
    (length,) = _LENGTH.unpack(mapped[tail:body])
    raw = json.loads(mapped[tail - length : tail])
    if raw["format"] != 1:
        raise Corrupt(f"{path} has format {raw['format']}", "use the edgetoll that wrote it")
    head = Head(
        partition=raw["partition"],
        generation=raw["generation"],
        number=raw["number"],
        written_at=raw["written_at"],
        pending=tuple(Pending(**one) for one in raw["pending"]),
        sidecars=tuple(Sidecar(**one) for one in raw["sidecars"]),
        tables=tuple((name, begins, size) for name, begins, size in raw["tables"]),
    )
    return head, pa.py_buffer(mapped)


_HINT = "restore the closed folder from its backup; the checkpoint before it may serve as well"
