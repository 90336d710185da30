"""The list of stopped domains that edges enforce: a JSON file, a text file, and a Kafka topic.

HOME/suspended/domains.json says for each name whose it is, why it is stopped and since when;
domains.txt has one name a line under a header with the count, for web servers' maps; the names
that a stopped wildcard must not take along stand in domains.json alone. Both are replaced whole. A
reader that finds no file, or fewer lines than the header says, keeps what it had: an empty list is
a list with the header `count 0`, never a blank file (FAULTS H9).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import orjson

import sql
from billing.instants import aware, aware_or_none, naive, stamp
from billing.outbox.settings import read_delivery
from billing.store.store import Store
from edge.durable import write_atomically
from edge.errors import InputError
from edge.terminal import parse_time

FORMAT = 1
Value = dict[str, object]
"""What stands in file and topic of one name: whose it is, why it is stopped and since when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedDomain:
    """One name edges must not serve, and why. `version` is the account's, 0 for a usage cap.

    `except_names`: names under a stopped wildcard that somebody else owns; they are served.
    """

    domain: str
    account_id: str
    cause: str
    since: datetime
    until: datetime | None
    version: int
    except_names: tuple[str, ...] = ()

    def document(self) -> Value:
        """The name as it stands in the file and in the topic."""
        return {
            "domain": self.domain,
            "account_id": self.account_id,
            "cause": self.cause,
            "since": stamp(self.since),
            "until": stamp(self.until) if self.until else None,
            "version": self.version,
            "except": list(self.except_names),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Row of `stopped_domains`; times as the store keeps them."""

    domain: str
    account_id: str
    cause: str
    since: datetime
    until: datetime | None
    version: int
    except_names: list[str]

    def stopped(self) -> StoppedDomain:
        """The row as a noun."""
        return StoppedDomain(
            domain=self.domain,
            account_id=self.account_id,
            cause=self.cause,
            since=aware(self.since),
            until=aware_or_none(self.until),
            version=self.version,
            except_names=tuple(self.except_names),
        )


def stopped_domains(
    connection: duckdb.DuckDBPyConnection, *, now: datetime
) -> tuple[StoppedDomain, ...]:
    """The names that are stopped at `now`, sorted."""
    result = connection.execute(
        sql.text("statements/balance/stop_list/stopped_domains"), {"now": naive(now)}
    )
    return tuple(row.stopped() for row in sql.rows(result, _Row))


def publish(store: Store, *, now: datetime) -> tuple[StoppedDomain, ...]:
    """Write both files from the store as it stands; returns the list."""
    folder = store.home.joinpath(read_delivery(store.home).stop_list.folder)
    found = stopped_domains(store.connection, now=now)
    write_files(folder, found, ledger_version=store.journal.last_no, now=now)
    return found


def write_files(
    folder: Path, found: tuple[StoppedDomain, ...], *, ledger_version: int, now: datetime
) -> None:
    """Replace domains.json and domains.txt."""
    files = contents(found, ledger_version=ledger_version, as_of=stamp(now))
    for name, content in files.items():
        write_atomically(folder.joinpath(name), content)


def contents(
    found: tuple[StoppedDomain, ...], *, ledger_version: int, as_of: str
) -> dict[str, bytes]:
    """What both files hold, by name."""
    document = {
        "format": FORMAT,
        "as_of": as_of,
        "ledger_version": ledger_version,
        "count": len(found),
        "domains": [one.document() for one in found],
    }
    head = f"# edgetoll stopped domains, format {FORMAT}, as of {as_of}, count {len(found)}"
    lines = [head, *(one.domain for one in found)]
    return {
        "domains.json": orjson.dumps(document) + b"\n",
        "domains.txt": ("\n".join(lines) + "\n").encode(),
    }


ANEW = "edgetoll billing rate writes it anew"


def not_as_published(store: Store) -> Iterator[tuple[str, str]]:
    """Which of both files are not what the store says, as of when they say they were written, and
    what to do.
    """
    folder = store.home.joinpath(read_delivery(store.home).stop_list.folder)
    try:
        document = orjson.loads(folder.joinpath("domains.json").read_bytes())
        as_of, version = str(document["as_of"]), int(document["ledger_version"])
        found = stopped_domains(store.connection, now=parse_time(as_of))
    except (OSError, ValueError, KeyError, TypeError, InputError):
        yield f"{folder}/domains.json cannot be read", ANEW
        return
    if version > store.journal.last_no:
        yield (
            f"{folder}/domains.json is of journal record {version}, and the journal ends with"
            f" {store.journal.last_no}: it is an older copy",
            "restore journal/ from a newer backup",
        )
    for name, content in contents(found, ledger_version=version, as_of=as_of).items():
        path = folder.joinpath(name)
        if not path.is_file() or path.read_bytes() != content:
            yield f"{path} is not what billing says of {as_of}", ANEW


def read_file(path: Path) -> dict[str, Value]:
    """The names in a domains.json by name; ValueError when it is not whole: keep what you had."""
    document = orjson.loads(path.read_bytes())
    domains = document["domains"]
    if document["format"] != FORMAT or document["count"] != len(domains):
        raise ValueError(f"{path} is not a whole list of format {FORMAT}")
    return {one["domain"]: one for one in domains}
