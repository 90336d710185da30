"""Import of closed hours: each (hour, partition, revision) once, verified, attributed to its
account.

A file enters only if its bytes have the hash in its certificate and the certificate continues its
partition's chain, without a hole. The journal names what was imported, with hashes, so that a lost
billing.duckdb is filled again from the same files. Usage older than the limit is listed and
counted, but kept out until a person accepts it (FAULTS G11).
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict

import duckdb

import sql
from billing.accounts.appliers import refresh_accounts
from billing.instants import aware
from billing.store.gone import usage_before, usage_goes
from billing.store.journal import Record
from billing.store.store import Effects, Store
from edge.durable import sha256_file
from edge.errors import Corrupt, InputError
from metering.closed import (
    CLOSED_FOLDER,
    Certificate,
    ClosedFile,
    certificate_sha256,
    closed_file,
    hour_text,
    list_closed,
    parse_hour,
    read_certificate,
    verify,
)

_RESTORE = "restore the closed folder from its backup"
_HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\d", re.ASCII)
_SETTLED_NS = 2 * 10**9
"""A folder's time is believed once it is so old: clocks of file systems tick in milliseconds."""


class ImportedHourFile(TypedDict):
    """A file as a journal record of kind `import` names it."""

    hour: str
    partition: str
    revision: int
    data_sha256: str
    certificate_sha256: str
    too_old: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOutcome:
    """What an import took in. `future` files wait until their hour has ended."""

    files: int = 0
    too_old: int = 0
    future: int = 0
    requests: int = 0
    journal_no: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TooOldFile:
    """A file whose usage waits for a person's decision."""

    hour: datetime
    partition: str
    revision: int
    requests: int


class SeenFolders:
    """The hour folders in which everything is imported, by the time they had when that was seen.

    A folder's time changes when a file is added to it, so a daemon looks again only into those that
    changed: after two years there are 17,520 of them. A new process has seen none.
    """

    def __init__(self) -> None:
        self._done: dict[str, int] = {}

    def changed(self, home: Path) -> dict[str, int]:
        """The folders to look into, with their present time."""
        try:
            with os.scandir(home.joinpath(CLOSED_FOLDER)) as entries:
                found = {entry.name: entry.stat().st_mtime_ns for entry in entries}
        except FileNotFoundError:
            return {}
        return {name: at for name, at in found.items() if self._done.get(name) != at}

    def note(self, looked_into: dict[str, int], waiting: set[str]) -> None:
        """Everything in the folders `looked_into` is imported, but for those `waiting`."""
        settled = time.time_ns() - _SETTLED_NS
        for name, at in looked_into.items():
            if at < settled and name not in waiting:
                self._done[name] = at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identity:
    hour: str
    partition: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChainEnd:
    partition: str
    certificate_number: int
    certificate_sha256: str
    complete_through: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Totals:
    """What an import put into usage, and what its certificates say it is."""

    rows: int
    requests: int
    bytes_sent: int
    certified_rows: int
    certified_requests: int
    certified_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hashes:
    hour: str
    partition: str
    revision: int
    data_sha256: str
    certificate_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Home:
    home: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    file: ClosedFile
    certificate: Certificate
    sha256: str


def import_closed(
    store: Store, *, at: datetime, too_old_days: int, seen: SeenFolders | None = None
) -> ImportOutcome:
    """Import every closed-hour file that is new and whose hour has ended at `at`.

    Raises Corrupt, and imports nothing, if a file does not match its certificate or a chain has a
    hole. `seen`: what this process has looked into before.
    """
    chosen, future = _choose(store, at, seen or SeenFolders())
    if not chosen:
        return ImportOutcome(future=future)
    oldest = at - timedelta(days=too_old_days)
    pruned = usage_before(store.connection)
    if pruned is not None:  # late usage of such hours cannot be rated: the rest of theirs is gone
        oldest = max(oldest, aware(pruned))
    files = [_effect(candidate, too_old=candidate.file.hour < oldest) for candidate in chosen]
    store.expect(sum(candidate.certificate.rows for candidate in chosen))
    number = store.commit("import", {"files": files}, at=at)
    return ImportOutcome(
        files=len(files),
        too_old=sum(1 for file in files if file["too_old"]),
        future=future,
        requests=sum(candidate.certificate.requests for candidate in chosen),
        journal_no=number,
    )


def rated_through(store: Store, *, at: datetime) -> datetime | None:
    """The end of the last hour that every partition known here has closed, at most `at`; None:
    none.
    """
    ends = _chain_ends(store.connection)
    if not ends:
        return None
    whole = aware(min(end.complete_through for end in ends))
    return min(whole, at.replace(minute=0, second=0, microsecond=0))


def too_old_files(store: Store) -> list[TooOldFile]:
    """What waits for a person's decision, by hour."""
    found = store.connection.execute(sql.text("statements/runs/import/too_old_files"))
    return sql.rows(found, TooOldFile)


def _chain_ends(connection: duckdb.DuckDBPyConnection) -> list[_ChainEnd]:
    found = connection.execute(sql.text("statements/runs/import/newest_certificates"))
    return sql.rows(found, _ChainEnd)


def _choose(store: Store, at: datetime, seen: SeenFolders) -> tuple[list[_Candidate], int]:
    """The new files in the order of their partition's chain, and how many lie in the future. A
    chain is followed only as far as its hours have ended, since none may be left out.
    """
    chains = _new_files(store, seen)
    if not chains:
        return [], 0
    ends = {end.partition: end for end in _chain_ends(store.connection)}
    chosen: list[_Candidate] = []
    future = 0
    for partition, chain in sorted(chains.items()):
        chain.sort(key=lambda candidate: candidate.certificate.number)
        end = ends.get(partition)
        number, digest = (end.certificate_number, end.certificate_sha256) if end else (0, None)
        for candidate in chain:
            if candidate.file.hour + timedelta(hours=1) > at:
                break
            number += 1
            _check_link(candidate, number, digest)
            verify(candidate.file)
            digest = candidate.sha256
            chosen.append(candidate)
        future += sum(1 for candidate in chain if candidate.file.hour + timedelta(hours=1) > at)
    chosen.sort(key=lambda one: (one.file.hour, one.file.partition, one.file.revision))
    return chosen, future


def _new_files(store: Store, seen: SeenFolders) -> dict[str, list[_Candidate]]:
    """The files that are not imported, by partition."""
    folders = seen.changed(store.home)
    files = list_closed(store.home, folders)
    hours = sorted({f"{hour_text(file.hour)}:00:00" for file in files})
    known = set(
        sql.rows(
            store.connection.execute(
                sql.text("statements/runs/import/imported_identities"), {"hours": hours}
            ),
            _Identity,
        )
        if hours
        else ()
    )
    chains: dict[str, list[_Candidate]] = {}
    waiting = set()
    for file in files:
        name = hour_text(file.hour)
        if _Identity(hour=name, partition=file.partition, revision=file.revision) in known:
            continue
        waiting.add(file.certificate_path.parent.name)
        candidate = _Candidate(
            file=file,
            certificate=read_certificate(file.certificate_path),
            sha256=certificate_sha256(file.certificate_path),
        )
        chains.setdefault(file.partition, []).append(candidate)
    seen.note(folders, waiting)
    return chains


def _check_link(candidate: _Candidate, number: int, digest: str | None) -> None:
    certificate = candidate.certificate
    if certificate.number != number or certificate.previous_certificate_sha256 != digest:
        raise Corrupt(
            f"{candidate.file.certificate_path.name} of {certificate.hour} is certificate"
            f" {certificate.number} of partition {certificate.partition} and does not continue"
            f" certificate {number - 1}",
            f"a certificate was removed or replaced: {_RESTORE}",
        )


def _effect(candidate: _Candidate, *, too_old: bool) -> ImportedHourFile:
    return {
        "hour": hour_text(candidate.file.hour),
        "partition": candidate.file.partition,
        "revision": candidate.file.revision,
        "data_sha256": candidate.certificate.data_sha256,
        "certificate_sha256": candidate.sha256,
        "too_old": too_old,
    }


def apply_import(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Read the named files again: the same bytes give the same rows, today or in a rebuild."""
    refresh_accounts(connection, record)
    _take_in(connection, record, effects["files"])
    connection.execute(
        sql.text("statements/runs/import/insert_imported_files"), {"import_no": record.number}
    )


def _located(home: Path, file: ImportedHourFile, goes: datetime | None) -> dict[str, object]:
    """`file` with its path and its certificate's text, checked against the journal's hashes. It has
    no path where its usage is gone, since a later record took it away (`goes`).
    """
    place = closed_file(home, parse_hour(file["hour"]), file["partition"], file["revision"])
    is_gone = goes is not None and place.hour < aware(goes) and not place.data_path.exists()
    for path, wanted in (
        (place.certificate_path, file["certificate_sha256"]),
        *(() if is_gone else ((place.data_path, file["data_sha256"]),)),
    ):
        if not path.is_file() or sha256_file(path) != wanted:
            raise Corrupt(f"{path} is missing or not the file that was imported", _RESTORE)
    text = place.certificate_path.read_text(encoding="utf-8")
    return {**file, "hour": f"{file['hour']}:00:00", "certificate": text,
            "path": None if is_gone else str(place.data_path)}  # fmt: skip


def _take_in(
    connection: duckdb.DuckDBPyConnection, record: Record, files: Sequence[ImportedHourFile]
) -> None:
    """Put the usage of `files` in, but for those that are too old."""
    found = sql.row(connection.execute(sql.text("statements/runs/import/home_of_session")), _Home)
    assert found is not None, "each session of the store knows its home"
    goes = usage_goes(connection)
    listed = [_located(Path(found.home), file, goes) for file in files]
    connection.execute(
        sql.text("statements/runs/import/import_list"), {"files": json.dumps(listed)}
    )
    paths = [file["path"] for file in listed if file["path"] and not file["too_old"]]
    if paths:
        connection.execute(
            sql.text("statements/runs/import/import_usage"),
            {"paths": paths, "import_no": record.number},
        )
    _compare_totals(connection, record)


def _compare_totals(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    result = connection.execute(
        sql.text("statements/runs/import/import_totals"), {"import_no": record.number}
    )
    found = sql.row(result, _Totals)
    assert found is not None, "totals are one row"
    stored = (found.rows, found.requests, found.bytes_sent)
    stated = (found.certified_rows, found.certified_requests, found.certified_bytes)
    if stored != stated:
        raise Corrupt(
            f"the closed hours hold {stored} (rows, requests, bytes),"
            f" their certificates say {stated}",
            _RESTORE,
        )


def accept_too_old(store: Store, hours: Iterable[str], *, reason: str, at: datetime) -> int | None:
    """Take in the usage of files held as too old, of the hours `YYYY-MM-DDTHH` named (all if
    empty).

    Returns the journal number, or None when nothing of these hours waits. It is late usage from
    then on. InputError for a text that is no hour.
    """
    wanted = set(hours)
    pruned = usage_before(store.connection)
    for one in sorted(wanted):
        if not _HOUR.fullmatch(one):
            raise InputError(f"{one!r} is no hour", "write it like 2026-01-31T05, in UTC")
        if pruned is not None and parse_hour(one) < aware(pruned):
            raise InputError(
                f"{one} cannot be billed any more: usage of before {pruned:%Y-%m-%d} was pruned",
                "what it should have cost goes on an invoice by hand, if at all",
            )
    files = [
        {"hour": hour_text(aware(one.hour)), "partition": one.partition, "revision": one.revision}
        for one in too_old_files(store)
        if (not wanted or hour_text(aware(one.hour)) in wanted)
        and (pruned is None or one.hour >= pruned)
    ]
    if not files:
        return None
    effects = {"files": files, "reason": reason}
    return store.commit("accept_too_old", effects, at=at)


def apply_accept(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Take in what a person accepted, by the hashes under which it was imported as too old."""
    result = connection.execute(sql.text("statements/runs/import/hashes_of_held"))
    held = {(one.hour, one.partition, one.revision): one for one in sql.rows(result, _Hashes)}
    files: list[ImportedHourFile] = []
    for file in effects["files"]:
        one = held[file["hour"], file["partition"], file["revision"]]
        files.append(
            {
                "hour": one.hour,
                "partition": one.partition,
                "revision": one.revision,
                "data_sha256": one.data_sha256,
                "certificate_sha256": one.certificate_sha256,
                "too_old": False,
            }
        )
    _take_in(connection, record, files)
    connection.execute(
        sql.text("statements/runs/import/accept_files"), {"import_no": record.number}
    )
