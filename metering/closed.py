"""Closed hours: what metering hands to billing. Nouns, file names, reading, verifying.

`closed/hour=YYYY-MM-DDTHH/partition=NNN.rR.parquet` with `….certificate.json` beside it, created
last. A closed hour exists when its certificate exists. Nothing here is ever changed or replaced;
usage that arrives later is revision R+1, holding only the difference. This is the only module of
metering that billing may import.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from edge.durable import sha256_file
from edge.errors import Corrupt

CLOSED_FOLDER = "closed"
FORMAT = 1
HourState = Literal["closed", "incomplete"]

_HOUR_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}")
_HOUR = re.compile(rf"^hour=({_HOUR_TEXT.pattern})$")
_CERTIFICATE = re.compile(r"^partition=([A-Za-z0-9-]+)\.r(\d+)\.certificate\.json$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedFile:
    """One revision of one partition's hour, on disk. Ordered by hour, partition, revision."""

    hour: datetime
    partition: str
    revision: int
    data_path: Path
    certificate_path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRange:
    """The batches of one epoch that hold events of the hour: range, number, events in it."""

    epoch: int
    first_sequence: int
    last_sequence: int
    batches: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceGap:
    """Sequences of an epoch that never arrived, both ends included; last None: unknown."""

    epoch: int
    first_sequence: int
    last_sequence: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeEvidence:
    """What the certificate says of one edge. `late` counts events that came after revision 0.

    `held` is why the edge promised nothing when the hour closed, in its own words.
    """

    edge_id: str
    region: str
    watermark: str | None
    epochs: tuple[EpochRange, ...] = ()
    gaps: tuple[SequenceGap, ...] = ()
    late: int = 0
    held: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A person let the hour close without this edge's promise."""

    edge_id: str
    by: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The proof beside a closed file.

    `number` counts the partition's certificates from 1 and `previous_certificate_sha256` chains
    them. `complete_through`: every hour before that time is closed (complete, waived or
    incomplete) or was proved to hold nothing, as far as this partition knew when it wrote this
    certificate. `empty_since` is set on a range certificate only: all hours from there to `hour`
    hold nothing.
    """

    hour: str
    partition: str
    revision: int
    state: HourState
    closed_at: str
    data_file: str
    data_sha256: str
    previous_certificate_sha256: str | None
    number: int
    rows: int
    requests: int
    bytes_sent: int
    duplicates: int
    quarantined: int
    edges: tuple[EdgeEvidence, ...]
    missing_edges: tuple[str, ...]
    waivers: tuple[Waiver, ...]
    unproven_sources: tuple[str, ...]
    generation: int
    checkpoint: int
    complete_through: str | None = None
    empty_since: str | None = None
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """The file's bytes: JSON in the order of the fields, so that equal ones are equal bytes."""
        document = orjson.loads(orjson.dumps(self))
        for edge in document["edges"]:
            if not edge["held"]:  # as ever, for an edge that promises
                del edge["held"]
        return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "certificate") -> Certificate:
        """Parse a certificate; Corrupt names the file when it cannot be one."""
        try:
            raw = orjson.loads(data)
            if raw["format"] != FORMAT:
                raise Corrupt(
                    f"{name} has format {raw['format']}, this program reads {FORMAT}",
                    "use the version of edgetoll that wrote it, or a newer one",
                )
            certificate = cls(**{**raw, **_nested(raw)})
        except (ValueError, KeyError, TypeError) as error:
            raise Corrupt(f"{name} is not a certificate: {error}", "restore the file") from error
        if certificate.state not in get_args(HourState):
            raise Corrupt(f"{name} has the unknown state {certificate.state}", "restore the file")
        return certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedHour:
    """All revisions of one partition's hour; `state` is that of the newest."""

    hour: datetime
    partition: str
    state: HourState
    files: tuple[ClosedFile, ...] = field(default=())


def _nested(raw: Mapping[str, Any]) -> dict[str, object]:
    # What JSON holds is anything; the records refuse what they do not know.
    edges = tuple(
        EdgeEvidence(
            **{
                **edge,
                "epochs": tuple(EpochRange(**epoch) for epoch in edge["epochs"]),
                "gaps": tuple(SequenceGap(**gap) for gap in edge["gaps"]),
            }
        )
        for edge in raw["edges"]
    )
    return {
        "edges": edges,
        "missing_edges": tuple(raw["missing_edges"]),
        "waivers": tuple(Waiver(**waiver) for waiver in raw["waivers"]),
        "unproven_sources": tuple(raw["unproven_sources"]),
    }


def hour_text(hour: datetime) -> str:
    """`YYYY-MM-DDTHH` of an aware time's UTC hour."""
    return hour.astimezone(UTC).strftime("%Y-%m-%dT%H")


def parse_hour(text: str) -> datetime:
    """The aware UTC start of hour `YYYY-MM-DDTHH`; ValueError when it is none."""
    if not _HOUR_TEXT.fullmatch(text):
        raise ValueError(f"{text!r} is no hour like 2026-10-31T05")
    return datetime.fromisoformat(f"{text}:00+00:00")


def closed_file(home: Path, hour: datetime, partition: str, revision: int) -> ClosedFile:
    """Where revision `revision` of a partition's hour lies (or will lie)."""
    folder = home / CLOSED_FOLDER / f"hour={hour_text(hour)}"
    return _in_folder(str(folder), hour, partition, revision)


def _in_folder(folder: str, hour: datetime, partition: str, revision: int) -> ClosedFile:
    stem = f"{folder}/partition={partition}.r{revision}"
    return ClosedFile(
        hour=hour,
        partition=partition,
        revision=revision,
        data_path=Path(f"{stem}.parquet"),
        certificate_path=Path(f"{stem}.certificate.json"),
    )


def list_closed(home: Path, folders: Iterable[str] | None = None) -> list[ClosedFile]:
    """Every revision with a certificate, by hour, partition, revision; other names are no data.

    `folders`: only in these of closed/, by name.
    """
    root = home / CLOSED_FOLDER
    if not root.is_dir():
        return []
    found = []
    for folder in os.listdir(root) if folders is None else folders:
        hour_match = _HOUR.match(folder)
        if not hour_match:
            continue
        hour = parse_hour(hour_match[1])
        place = f"{root}/{folder}"
        for name in os.listdir(place):
            match = _CERTIFICATE.match(name)
            if match:
                found.append(_in_folder(place, hour, match[1], int(match[2])))
    return sorted(found, key=lambda file: (file.hour, file.partition, file.revision))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedMark:
    """What tells two moments of the closed folder apart without listing its hours: the time of its
    last new hour, and the newest checkpoint of each partition.
    """

    folder_ns: int = 0
    checkpoints: tuple[tuple[str, int], ...] = ()


def closed_mark(home: Path) -> ClosedMark:
    """Where the closed folder stands now. Two equal marks: no round of closing came between them.

    Every revision comes with a checkpoint of its partition, and a new hour with a new folder; so
    who keeps the mark of what it has read need not list years of hours to learn that nothing came.
    """
    root = home / CLOSED_FOLDER
    try:
        changed = root.stat().st_mtime_ns
    except FileNotFoundError:
        return ClosedMark()
    newest = []
    for place in sorted((root / "checkpoints").glob("partition=*")):
        names = [name[:12] for name in os.listdir(place) if name.endswith(".checkpoint")]
        numbers = [int(name) for name in names if name.isdigit()]
        newest.append((place.name.removeprefix("partition="), max(numbers, default=0)))
    return ClosedMark(folder_ns=changed, checkpoints=tuple(newest))


def read_certificate(path: Path) -> Certificate:
    """The certificate at `path`; Corrupt when it cannot be read as one."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Corrupt(f"{path} cannot be read: {error.strerror}", "restore the file") from error
    return Certificate.from_bytes(data, str(path))


def certificate_sha256(path: Path) -> str:
    """The SHA-256 of a certificate's bytes, as the next certificate of its partition names it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verify(file: ClosedFile) -> Certificate:
    """The certificate of `file`, its names and the hash of its data checked.

    Raises Corrupt naming the file otherwise.
    """
    certificate = read_certificate(file.certificate_path)
    stated = (certificate.hour, certificate.partition, certificate.revision, certificate.data_file)
    actual = (hour_text(file.hour), file.partition, file.revision, file.data_path.name)
    if stated != actual:
        raise Corrupt(
            f"{file.certificate_path} speaks of {stated}, not of its own file {actual}",
            "restore the closed folder from its backup",
        )
    try:
        digest = sha256_file(file.data_path)
    except OSError as error:
        raise Corrupt(
            f"{file.data_path} cannot be read: {error.strerror}", "restore the file"
        ) from error
    if digest != certificate.data_sha256:
        raise Corrupt(
            f"{file.data_path} does not have the hash in its certificate",
            "restore the file from its backup; a closed hour never changes",
        )
    return certificate


def verify_chain(files: Iterable[ClosedFile]) -> None:
    """Check that each partition's certificates count 1..n and name the hash of the one before.

    Raises Corrupt naming the first certificate that does not fit.
    """
    by_partition: dict[str, list[tuple[int, ClosedFile, Certificate]]] = {}
    for file in files:
        certificate = read_certificate(file.certificate_path)
        by_partition.setdefault(file.partition, []).append((certificate.number, file, certificate))
    for partition, chain in by_partition.items():
        chain.sort(key=lambda link: link[0])
        before: str | None = None
        for expected, (number, file, certificate) in enumerate(chain, start=1):
            if number != expected or certificate.previous_certificate_sha256 != before:
                raise Corrupt(
                    f"the certificates of partition {partition} do not chain at number {expected}"
                    f" ({file.certificate_path})",
                    "a certificate was removed or replaced: restore the closed folder",
                )
            before = certificate_sha256(file.certificate_path)


def closed_hours(home: Path) -> list[ClosedHour]:
    """Each partition's closed hours with their newest state, by hour and partition."""
    grouped: dict[tuple[datetime, str], list[ClosedFile]] = {}
    for file in list_closed(home):
        grouped.setdefault((file.hour, file.partition), []).append(file)
    return [
        ClosedHour(
            hour=hour,
            partition=partition,
            state=read_certificate(files[-1].certificate_path).state,
            files=tuple(files),
        )
        for (hour, partition), files in sorted(grouped.items())
    ]


def complete_through(certificates: Iterable[Certificate]) -> dict[str, datetime]:
    """Per partition the time before which every hour is closed or proved empty.

    From the partition's newest certificate, which may be a revision: later knowledge wins, so the
    time can step back when usage of an hour that nobody had closed turns up.
    """
    newest: dict[str, Certificate] = {}
    for certificate in certificates:
        known = newest.get(certificate.partition)
        if known is None or certificate.number > known.number:
            newest[certificate.partition] = certificate
    return {
        partition: parse_hour(certificate.complete_through)
        for partition, certificate in newest.items()
        if certificate.complete_through is not None
    }


def next_hour(hour: datetime) -> datetime:
    """The start of the hour after `hour`, which is also its half-open end."""
    return hour + timedelta(hours=1)
