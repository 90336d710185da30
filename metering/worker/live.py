"""live/: the hours still open, replaced about every second, for forecasts, analysts and status.

A closed hour stays there until well after its closed file exists, so that a reader who listed the
closed hours first and reads live/ second sees every hour once (views drop live rows of closed
hours).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from edge.durable import write_atomically
from metering.closed import closed_file, hour_text
from metering.hours.certificate import time_of, time_text
from metering.hours.data_file import UsageFile
from metering.hours.unowned_names import folded
from metering.hours.when_to_close import HOUR_MS, Policy, View, judge
from metering.settings import to_ms
from metering.store.rows import PartitionState
from metering.store.store import Store

FOLDER = "live"
KEEP_CLOSED_MS = 600_000
"""How long after closing an hour stays in live/."""
STATUS_HOURS = 2_000
"""The newest hours in status.json, with every older one that is not closed; all of them stand in
live/hours.parquet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One partition as it stands now, for publishing."""

    state: PartitionState
    view: View
    open_requests: Mapping[int, int]
    backlog: Mapping[str, bool] = field(default_factory=dict)


class Live:
    """Publishes the live files of one worker. `name` keeps the files of several workers apart."""

    def __init__(self, home: Path, store: Store, *, policy: Policy, names_kept: int) -> None:
        self.folder = home / FOLDER
        self.home = home
        self.store = store
        self.policy = policy
        self.names_kept = names_kept
        self.name = ""
        self._shown: dict[str, set[int]] = {}
        self._superseded = False

    def publish(self, moments: Sequence[Moment], now_ms: int) -> None:
        """Replace every live file; usage first, so that status never speaks of unseen usage."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for moment in moments:
            self._usage(moment, now_ms)
        self._supersede({moment.state.partition for moment in moments})
        hours = [row for moment in moments for row in self._hours(moment, now_ms)]
        self._replace(f"hours{self.name}.parquet", _hours_table(hours))
        quarantine = self._quarantine(moments)
        self._replace(f"quarantine{self.name}.parquet", _quarantine_table(quarantine))
        document = self._status(moments, hours, quarantine, now_ms)
        data = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
        write_atomically(self.folder / f"status{self.name}.json", data)

    def _supersede(self, partitions: set[str]) -> None:
        """Remove what workers before this one said of its partitions, or all would be told twice.

        Once is enough: who comes later removes ours. Whoever loses one partition stops altogether.
        """
        if self._superseded:
            return
        for path in self.folder.glob("status*.json"):
            name = path.stem.removeprefix("status")
            try:
                known = {row["partition"] for row in orjson.loads(path.read_bytes())["partitions"]}
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if name != self.name and known & partitions:
                for kind in ("status{}.json", "hours{}.parquet", "quarantine{}.parquet"):
                    (self.folder / kind.format(name)).unlink(missing_ok=True)
        self._superseded = True

    def _usage(self, moment: Moment, now_ms: int) -> None:
        """partition=NNN.parquet: the open usage, and the hours that closed a short while ago."""
        partition = moment.state.partition
        path = self.folder / f"partition={partition}.parquet"
        hidden = path.with_name(f".{path.name}.{os.getpid()}")
        hours = [time_of(hour).replace(tzinfo=None) for hour in sorted(moment.open_requests)]
        wanted = pa.table({"hour": pa.array(hours, type=pa.timestamp("us"))})
        with UsageFile(hidden) as file:
            for _, rows in folded(self.store, self.home, partition, wanted, self.names_kept):
                file.add(rows)
            for rows in self._recently_closed(moment, now_ms):
                file.add(rows)
        os.replace(hidden, path)
        self._shown[partition] = {
            *moment.open_requests,
            *(self._shown_before(partition) & moment.state.closed.keys()),
        }

    def _recently_closed(self, moment: Moment, now_ms: int) -> Iterator[pa.RecordBatch]:
        """The rows of hours that stood in live/ while open and closed a short while ago."""
        partition = moment.state.partition
        paths = []
        for hour in sorted(self._shown_before(partition) & moment.state.closed.keys()):
            known = moment.state.closed[hour]
            if known.closed_ms < now_ms - KEEP_CLOSED_MS:
                continue
            for revision in range(known.revision + 1):
                path = closed_file(self.home, time_of(hour), partition, revision).data_path
                if path.is_file():
                    paths.append(str(path))
        if paths:
            relation = self.store.connection.read_parquet(paths, hive_partitioning=False)
            yield from relation.to_arrow_reader(100_000)

    def _shown_before(self, partition: str) -> set[int]:
        """Hours (ms) that readers have seen in live/; after a start, those in the file."""
        if partition not in self._shown:
            path = self.folder / f"partition={partition}.parquet"
            self._shown[partition] = set()
            if path.is_file():
                buckets = pq.read_table(path, columns=["bucket"], partitioning=None)
                seen = buckets.column("bucket").unique().to_pylist()
                times = (to_ms(bucket.replace(tzinfo=UTC)) for bucket in seen if bucket is not None)
                self._shown[partition] = {ms // HOUR_MS * HOUR_MS for ms in times}
        return self._shown[partition]

    def _hours(self, moment: Moment, now_ms: int) -> list[dict[str, Any]]:
        """Each hour: closed ones as certified, open ones with who is waited for."""
        partition = moment.state.partition
        found = []
        for hour, _, state, requests, late, missing, _ in self.store.read(
            "hour_totals", partition=partition
        ):
            more = moment.open_requests.get(hour, 0)
            found.append(_hour(hour, partition, state, requests + more, late + more, missing))
        for hour, requests in moment.open_requests.items():
            if hour in moment.state.closed:
                continue
            verdict = judge(moment.view, hour, hour + HOUR_MS, now_ms=now_ms, policy=self.policy)
            names = sorted((*verdict.missing, *verdict.waiting))
            found.append(_hour(hour, partition, "open", requests, 0, names))
        return sorted(found, key=lambda row: str(row["hour"]))

    def _quarantine(self, moments: Sequence[Moment]) -> list[tuple[Any, ...]]:
        return [
            row
            for moment in moments
            for row in self.store.read("quarantine_totals", partition=moment.state.partition)
        ]

    def _status(
        self,
        moments: Sequence[Moment],
        hours: list[dict[str, Any]],
        quarantine: list[tuple[Any, ...]],
        now_ms: int,
    ) -> dict[str, Any]:
        """The document of `metering status`."""
        sums = {
            kind: [sum(figures) for figures in zip(*rows, strict=True)] or [0] * 4
            for kind, rows in (
                ("events", [moment.state.events for moment in moments]),
                ("batches", [moment.state.batches for moment in moments]),
            )
        }
        read, accepted, duplicate, quarantined = sums["events"]
        return {
            "accepted": accepted,
            "duplicate": duplicate,
            "quarantined": quarantined,
            "read": read,
            "batches": dict(
                zip(("read", "accepted", "duplicate", "quarantined"), sums["batches"], strict=True)
            ),
            "adds_up": read == accepted + duplicate + quarantined,
            "fresh_at": time_text(now_ms),
            "alarms": self._alarms(quarantine),
            "edges": [row for moment in moments for row in _edges(moment, now_ms)],
            "hours": [
                *(row for row in hours[:-STATUS_HOURS] if row["state"] != "closed"),
                *hours[-STATUS_HOURS:],
            ],
            "quarantine": [
                {"reason": reason, "source": source, "records": records}
                for reason, source, records, _, _ in quarantine
            ],
            "partitions": [
                {
                    "partition": moment.state.partition,
                    "generation": moment.state.generation,
                    "checkpoint": moment.state.checkpoint_no,
                    "certificates": moment.state.certificate_no,
                    "complete_through": None
                    if moment.state.complete_through_ms is None
                    else hour_text(time_of(moment.state.complete_through_ms)),
                }
                for moment in moments
            ],
        }

    def _alarms(self, quarantine: list[tuple[Any, ...]]) -> list[str]:
        """What a person should look at."""
        found = [
            f"fork: {source} sent {records} events under identities that stand for others"
            for reason, source, records, _, _ in quarantine
            if reason == "fork"
        ]
        disk = shutil.disk_usage(self.home)
        if disk.free * 5 < disk.total:
            found.append(f"disk: {disk.free} bytes free, less than a fifth")
        return found

    def _replace(self, name: str, table: pa.Table) -> None:
        path = self.folder / name
        hidden = path.with_name(f".{name}.{os.getpid()}")
        pq.write_table(table, hidden, compression="zstd")
        os.replace(hidden, path)


def _hour(
    hour_ms: int, partition: str, state: str, accepted: int, late: int, missing: Sequence[str]
) -> dict[str, Any]:
    return {
        "hour": hour_text(time_of(hour_ms)),
        "partition": partition,
        "state": state,
        "accepted": accepted,
        "late": late,
        "missing_edges": list(missing),
    }


def _edges(moment: Moment, now_ms: int) -> list[dict[str, Any]]:
    """Each edge: the last sequence read, its promise, how far that lies back, and its holes."""
    standings = {one.expected.edge_id: one for one in moment.view.standings}
    found = []
    for edge_id in sorted({*moment.state.edges, *standings}):
        edge = moment.state.edges.get(edge_id)
        stands = standings.get(edge_id)
        watermark = stands.watermark_ms if stands is not None else 0
        until = stands.expected.until_ms if stands is not None else None
        foreseen = stands.expected.region if stands is not None else None
        found.append(
            {
                "edge_id": edge_id,
                "partition": moment.state.partition,
                "region": edge.region if edge is not None else foreseen,
                "epoch": edge.last_epoch if edge is not None else None,
                "sequence": edge.last_sequence if edge is not None else None,
                "batches": sum(one.batches for one in edge.epochs.values()) if edge else 0,
                "requests": sum(one.requests for one in edge.epochs.values()) if edge else 0,
                "watermark": time_text(watermark) if watermark else None,
                "lag_seconds": max(0, (now_ms - watermark) // 1000) if watermark else None,
                "expected_until": time_text(until) if until is not None else None,
                "gaps": [
                    {
                        "epoch": gap.missing.epoch,
                        "first_sequence": gap.missing.first_sequence,
                        "last_sequence": gap.missing.last_sequence,
                    }
                    for gap in (edge.gaps() if edge is not None else ())
                ],
            }
        )
    return found


def _hours_table(hours: list[dict[str, Any]]) -> pa.Table:
    from metering.closed import parse_hour

    return pa.table(
        {
            "hour": pa.array(
                [
                    parse_hour(str(row["hour"])).astimezone(UTC).replace(tzinfo=None)
                    for row in hours
                ],
                type=pa.timestamp("us"),
            ),
            "partition": pa.array([row["partition"] for row in hours], type=pa.string()),
            "state": pa.array([row["state"] for row in hours], type=pa.string()),
            "accepted": pa.array([row["accepted"] for row in hours], type=pa.int64()),
            "late": pa.array([row["late"] for row in hours], type=pa.int64()),
            "missing_edges": pa.array(
                [row["missing_edges"] for row in hours], type=pa.list_(pa.string())
            ),
        }
    )


def _quarantine_table(rows: list[tuple[Any, ...]]) -> pa.Table:
    def times(place: int) -> pa.Array[Any]:
        found = [time_of(row[place]).replace(tzinfo=None) for row in rows]
        return pa.array(found, type=pa.timestamp("us"))

    return pa.table(
        {
            "reason": pa.array([row[0] for row in rows], type=pa.string()),
            "source": pa.array([row[1] for row in rows], type=pa.string()),
            "records": pa.array([row[2] for row in rows], type=pa.int64()),
            "first_seen": times(3),
            "last_seen": times(4),
        }
    )
