"""Import of closed hours: each (hour, partition, revision) once, verified, attributed to its
account.

A file enters only if its bytes have the hash in its certificate and the certificate continues its
partition's chain, without a hole. The journal names what was imported, with hashes, so that a lost
billing.duckdb is filled again from the same files. Usage older than the limit is listed and
counted, but kept out until a person accepts it (FAULTS G11).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

import sql
from billing.accounts.load import refresh_accounts
from billing.store.journal import Record
from billing.store.store import Effects, Store
from edge.durable import sha256_file
from edge.errors import Corrupt
from metering.closed import (
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOutcome:
    """What an import took in. `future` files wait until their hour has ended."""

    files: int = 0
    too_old: int = 0
    future: int = 0
    requests: int = 0
    journal_no: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    file: ClosedFile
    certificate: Certificate
    sha256: str


def import_closed(store: Store, *, at: datetime, too_old_days: int) -> ImportOutcome:
    """Import every closed-hour file that is new and whose hour has ended at `at`.

    Raises Corrupt, and imports nothing, if a file does not match its certificate or a chain has a
    hole.
    """
    chosen, future = _choose(store, at)
    if not chosen:
        return ImportOutcome(future=future)
    oldest = at - timedelta(days=too_old_days)
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
    rows = store.connection.execute(sql.text("statements/billing/newest_certificates")).fetchall()
    if not rows:
        return None
    whole: datetime = min(row[3] for row in rows).replace(tzinfo=UTC)
    return min(whole, at.replace(minute=0, second=0, microsecond=0))


def too_old_files(store: Store) -> list[tuple[datetime, str, int, int]]:
    """(hour, partition, revision, requests) of what waits for a person's decision."""
    rows: list[tuple[datetime, str, int, int]] = store.connection.execute(
        sql.text("statements/billing/too_old_files")
    ).fetchall()
    return rows


def _choose(store: Store, at: datetime) -> tuple[list[_Candidate], int]:
    """The new files in the order of their partition's chain, and how many lie in the future.

    A chain is followed only as far as its hours have ended, since certificates chain in the order
    of closing and none may be left out.
    """
    known = set(
        store.connection.execute(sql.text("statements/billing/imported_identities")).fetchall()
    )
    chains: dict[str, list[_Candidate]] = {}
    for file in list_closed(store.home):
        if (hour_text(file.hour), file.partition, file.revision) in known:
            continue
        certificate = read_certificate(file.certificate_path)
        candidate = _Candidate(
            file=file,
            certificate=certificate,
            sha256=certificate_sha256(file.certificate_path),
        )
        chains.setdefault(file.partition, []).append(candidate)
    ends = {
        row[0]: (row[1], row[2])
        for row in store.connection.execute(
            sql.text("statements/billing/newest_certificates")
        ).fetchall()
    }
    chosen: list[_Candidate] = []
    future = 0
    for partition, chain in sorted(chains.items()):
        chain.sort(key=lambda candidate: candidate.certificate.number)
        number, digest = ends.get(partition, (0, None))
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


def _check_link(candidate: _Candidate, number: int, digest: str | None) -> None:
    certificate = candidate.certificate
    if certificate.number != number or certificate.previous_certificate_sha256 != digest:
        raise Corrupt(
            f"{candidate.file.certificate_path.name} of {certificate.hour} is certificate"
            f" {certificate.number} of partition {certificate.partition} and does not continue"
            f" certificate {number - 1}",
            f"a certificate was removed or replaced: {_RESTORE}",
        )


def _effect(candidate: _Candidate, *, too_old: bool) -> dict[str, Any]:
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
    home = Path(connection.execute(sql.text("statements/billing/home_of_session")).fetchall()[0][0])
    listed = [_located(home, file) for file in effects["files"]]
    refresh_accounts(connection, record.at)
    _take_in(connection, record, listed)
    connection.execute(
        sql.text("statements/billing/insert_imported_files"), {"import_no": record.number}
    )


def _located(home: Path, file: Mapping[str, Any]) -> dict[str, Any]:
    """`file` with its path and its certificate's text, checked against the journal's hashes."""
    place = closed_file(home, parse_hour(file["hour"]), file["partition"], file["revision"])
    for path, wanted in (
        (place.data_path, file["data_sha256"]),
        (place.certificate_path, file["certificate_sha256"]),
    ):
        if not path.is_file() or sha256_file(path) != wanted:
            raise Corrupt(f"{path} is missing or not the file that was imported", _RESTORE)
    text = place.certificate_path.read_text(encoding="utf-8")
    return {**file, "hour": f"{file['hour']}:00:00", "path": str(place.data_path),
            "certificate": text}  # fmt: skip


def _take_in(
    connection: duckdb.DuckDBPyConnection, record: Record, listed: Sequence[Mapping[str, Any]]
) -> None:
    connection.execute(
        sql.text("statements/billing/import_list"), {"files": json.dumps(list(listed))}
    )
    paths = [file["path"] for file in listed if not file["too_old"]]
    if paths:
        connection.execute(
            sql.text("statements/billing/import_usage"),
            {"paths": paths, "import_no": record.number},
        )
    _compare_totals(connection, record)


def _compare_totals(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    stored = connection.execute(
        sql.text("statements/billing/imported_totals"), {"import_no": record.number}
    ).fetchall()[0]
    stated = connection.execute(sql.text("statements/billing/certified_totals")).fetchall()[0]
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
    then on.
    """
    wanted = set(hours)
    files = [
        {"hour": hour_text(hour.replace(tzinfo=UTC)), "partition": partition, "revision": revision}
        for hour, partition, revision, _ in too_old_files(store)
        if not wanted or hour_text(hour.replace(tzinfo=UTC)) in wanted
    ]
    if not files:
        return None
    effects = {"files": files, "reason": reason}
    return store.commit("accept_too_old", effects, at=at)


def apply_accept(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Take in the usage of files that were held as too old."""
    home = Path(connection.execute(sql.text("statements/billing/home_of_session")).fetchall()[0][0])
    listed = []
    for file in effects["files"]:
        hashes = connection.execute(
            sql.text("statements/billing/hashes_of_file"),
            {**file, "hour": f"{file['hour']}:00:00"},
        ).fetchall()[0]
        stored = {"data_sha256": hashes[0], "certificate_sha256": hashes[1], "too_old": False}
        listed.append(_located(home, {**file, **stored}))
    _take_in(connection, record, listed)
    connection.execute(sql.text("statements/billing/accept_files"), {"import_no": record.number})
