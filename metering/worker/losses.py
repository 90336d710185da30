"""What is missing: of what metering certified, and of what edges sent and nobody has counted.

A certificate names the checkpoint of its round: without that one or a newer one a lost store cannot
be rebuilt. And where a worker ran, its store must be, or nobody has checked what it counted. A home
that only has closed hours, brought there for billing, has neither and lacks nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

import sql
from metering.closed import Certificate
from metering.counting.edge_progress import EdgeProgress
from metering.counting.quarantine import FOLDER as QUARANTINE
from metering.hours import checkpoint, requests
from metering.hours.unread import gap_text, lost_batches, unread_sources
from metering.hours.when_to_close import standings
from metering.settings import load
from metering.sources.spool import PARTITION, SpoolSource
from metering.status import read as read_status
from metering.store.faults import is_in_use
from metering.store.records import EpochRow, IntervalRow, PositionRow, edges_from

UNREAD = "metering_spools_are_read"
LOST = "metering_no_batch_is_lost"
REFUSED = "metering_quarantine_is_empty"
MISSING = {
    UNREAD: "Everything that an edge has made durable in its spool can be read and is counted.",
    LOST: "No edge lost batches in hours that nobody has waived.",
    REFUSED: "No unit is kept in quarantine that nobody has sent again or moved away.",
}
"""Checks of what is not counted: usage is missing, nothing that is stored is wrong."""


def newest(certificates: list[Certificate]) -> dict[str, Certificate]:
    """The last certificate of each partition."""
    found: dict[str, Certificate] = {}
    for one in sorted(certificates, key=lambda certificate: certificate.number):
        found[one.partition] = one
    return found


def workers(home: Path) -> set[str]:
    """The workers that ran here, by what their files are called after («» for one alone)."""
    return {
        path.name.split(".")[0].removeprefix(kind)
        for folder, kind in ((home, "metering"), (home, "usage"), (home / "live", "status"))
        for path in folder.glob(f"{kind}*.*")
        if path.suffix in (".lock", ".duckdb", ".json")
    }


def lost_checkpoints(home: Path, certificates: list[Certificate]) -> Iterator[tuple[str, str]]:
    """(partition, why) where the checkpoint that the newest certificate names is not there."""
    if not workers(home):
        return
    for partition, certificate in sorted(newest(certificates).items()):
        there = max(checkpoint.numbers(home, partition), default=0)
        if there < certificate.checkpoint:
            path = checkpoint.path_of(home, partition, certificate.checkpoint)
            yield partition, f"{path} is missing, and no newer one is there"


def lost_stores(home: Path, certificates: list[Certificate]) -> Iterator[tuple[str, str]]:
    """(store, why) where a worker ran here and hours were closed, and its store is not there."""
    if not certificates:
        return
    for name in sorted(workers(home)):
        store = home / f"usage{name}.duckdb"
        if not store.exists():
            yield (
                store.name,
                "it is missing: edgetoll metering run makes it anew from the last checkpoint",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    """The name of a partition."""

    partition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a store knows of the edges of a partition."""

    positions: dict[str, str]
    edges: dict[str, EdgeProgress]


def missing(home: Path) -> dict[str, list[tuple[str, str]]]:
    """By check of MISSING: (edge or reason, what is not counted). Raises ConfigError, duckdb's.

    A store that a running worker holds is not opened: what that worker publishes is told instead.
    """
    policy = load(home).policy()
    asked = requests.read(home)
    now_ms = time.time_ns() // 1_000_000
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in MISSING}
    spool = _Known(positions={}, edges={})
    in_use = False
    for path in sorted(home.glob("usage*.duckdb")):
        known = _known(path)
        if known is None:
            in_use = True
            continue
        spool = known.get(PARTITION, spool)
        for partition in known.values():
            expected = standings(
                partition.edges,
                (),
                asked.retired,
                now_ms=now_ms,
                deadline_ms=policy.deadline_ms,
            )
            lost = lost_batches(expected, asked.waivers)
            found[LOST] += [(edge_id, gap_text(gap)) for edge_id, gap in lost]
    if in_use:
        told = read_status(home)
        found[UNREAD] += [(one.edge_id, one.what) for one in told.unread]
        found[LOST] += [("", line) for line in told.alarms if line.startswith("lost:")]
    else:
        source = SpoolSource(home)
        source.seek(spool.positions)
        unread = unread_sources(source.states(), spool.edges, asked.retired)
        found[UNREAD] += [(one.edge_id, one.what) for one in unread]
    kept = Counter(path.name.rpartition("-")[0] for path in (home / QUARANTINE).glob("*.batch"))
    found[REFUSED] += [(reason, f"{units} kept") for reason, units in sorted(kept.items())]
    return found


def _known(path: Path) -> dict[str, _Known] | None:
    """What a store knows, by partition; None when a worker holds it."""
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except (duckdb.IOException, duckdb.ConnectionException) as error:
        if not is_in_use(error):
            raise
        return None
    with connection:
        names = connection.execute(sql.text("statements/metering/partition/partition_names"))
        return {
            one.partition: _partition(connection, one.partition) for one in sql.rows(names, _Name)
        }


def _partition(connection: duckdb.DuckDBPyConnection, partition: str) -> _Known:
    def read(name: str) -> duckdb.DuckDBPyConnection:
        return connection.execute(sql.text(name), {"partition": partition})

    positions = sql.rows(read("statements/metering/partition/positions"), PositionRow)
    edges = sql.rows(read("statements/metering/partition/edges"), EdgeProgress)
    epochs = sql.rows(read("statements/metering/partition/epochs"), EpochRow)
    intervals = sql.rows(read("statements/metering/partition/intervals"), IntervalRow)
    return _Known(
        positions={row.source: row.position for row in positions},
        edges=edges_from(edges, epochs, intervals),
    )
