"""What edges told of their domains' HTTPS is taken in: each numbered file once and in order.

A file that is missing or damaged stops its own edge's facts and nothing else: no money depends on
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

import sql
from billing.balance.appliers import bound
from billing.balance.rows import Row, as_effect
from billing.instants import exact_text
from billing.store.journal import Record
from billing.store.store import Effects, Store
from edge.errors import Corrupt
from edge.https.facts import FOLDER, FactFile, HttpsFact, fact_files, read_fact_file

FILES_AT_ONCE = 500
FILE_COLUMNS = ("edge_id", "number", "sha256", "written_at", "sni_mismatches", "facts")
FACT_COLUMNS = (
    "edge_id", "number", "domain", "changed_at", "live_at", "https", "redirect", "http2", "http3",
    "tls_min", "hsts_seconds", "certificate_sha256", "issuer", "not_before", "not_after",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFile:
    """Row of `last_files`: how far an edge's files are in."""

    edge_id: str
    number: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFactFiles:
    """Files that continue what is in, with their hashes; `trouble`: why an edge's stop, a line
    each.
    """

    files: tuple[tuple[FactFile, str], ...] = ()
    trouble: tuple[str, ...] = ()


def find_new(connection: duckdb.DuckDBPyConnection, home: Path) -> NewFactFiles:
    """What the folder holds beyond what is in."""
    folder = home.joinpath(FOLDER)
    if not folder.is_dir():
        return NewFactFiles()
    result = connection.execute(sql.text("statements/https/facts/last_files"))
    known = {one.edge_id: one for one in sql.rows(result, LastFile)}
    files: list[tuple[FactFile, str]] = []
    trouble: list[str] = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        last = known.get(place.name) or LastFile(edge_id=place.name, number=0, sha256="")
        try:
            files.extend(_continuing(place, last))
        except Corrupt as error:
            trouble.append(str(error))
    return NewFactFiles(files=tuple(files), trouble=tuple(trouble))


def _continuing(place: Path, last: LastFile) -> Iterator[tuple[FactFile, str]]:
    """The files of one edge after the `last` that is in; Corrupt where they do not go on."""
    digest = last.sha256
    names = {path.name for path in fact_files(place)}
    newest = int(max(names, default="0").partition(".")[0])
    for number in range(last.number + 1, min(newest, last.number + FILES_AT_ONCE) + 1):
        name = f"{number:08d}.json"
        if name not in names:
            raise Corrupt(
                f"{place.joinpath(name)} is missing: what edge {place.name} told later waits",
                "copy it from that edge, whose https-facts folder has it",
            )
        file, sha256 = read_fact_file(place.joinpath(name))
        if file.previous != digest:
            raise Corrupt(
                f"{place.joinpath(name)} does not continue the file before it",
                "an edge id belongs to one edge: give each its own, or copy the right files",
            )
        yield file, sha256
        digest = sha256


def take_in(store: Store, *, at: datetime) -> tuple[str, ...]:
    """Take in what is new, in one journal record; returns what is in the way of the rest."""
    new = find_new(store.connection, store.home)
    if new.files:
        rows = [_file_row(file, sha256) for file, sha256 in new.files]
        facts = [_fact_row(file, fact) for file, _ in new.files for fact in file.facts]
        effects = {
            "files": as_effect(rows, FILE_COLUMNS),
            "facts": as_effect(facts, FACT_COLUMNS),
        }
        store.commit("https_facts", effects, at=at)
    return new.trouble


def apply_facts(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """What a record of kind `https_facts` does to the tables."""
    with bound(connection, "files", effects["files"], FILE_COLUMNS):
        connection.execute(
            sql.text("statements/https/facts/put_files"), {"journal_no": record.number}
        )
    with bound(connection, "facts", effects["facts"], FACT_COLUMNS):
        connection.execute(sql.text("statements/https/facts/put_facts"))


def _file_row(file: FactFile, sha256: str) -> Row:
    return {
        "edge_id": file.edge_id,
        "number": str(file.number),
        "sha256": sha256,
        "written_at": exact_text(file.written_at),
        "sni_mismatches": str(file.sni_mismatches),
        "facts": str(len(file.facts)),
    }


def _fact_row(file: FactFile, fact: HttpsFact) -> Row:
    return {
        "edge_id": file.edge_id,
        "number": str(file.number),
        "domain": fact.domain,
        "changed_at": exact_text(fact.changed_at),
        "live_at": exact_text(fact.live_at),
        "https": str(fact.https).lower(),
        "redirect": fact.redirect,
        "http2": str(fact.http2).lower(),
        "http3": str(fact.http3).lower(),
        "tls_min": fact.tls_min,
        "hsts_seconds": str(fact.hsts_seconds),
        "certificate_sha256": fact.certificate_sha256,
        "issuer": fact.issuer,
        "not_before": exact_text(fact.not_before) if fact.not_before else None,
        "not_after": exact_text(fact.not_after) if fact.not_after else None,
    }
