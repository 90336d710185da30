"""live/: the hours still open, replaced about every second, for forecasts, analysts and status.

A closed hour stays there until well after its closed file exists, so that a reader who listed the
closed hours first and reads live/ second sees every hour once (views drop live rows of closed
hours). A file whose content would be the same is left as it is: a wake with nothing to do costs
next to nothing, however many hours there are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from edge.durable import SEAL, sha256_file, write_atomically
from edge.logs.refused_lines import read_counts
from metering.closed import closed_file, parse_hour
from metering.hour import Policy, hour_of, time_of, to_ms
from metering.hours.data_file import UsageFile, with_later_counts
from metering.hours.unowned_names import OWNED_NAMES, folded, wanted_hours
from metering.status import FOLDER, HourStatus, LiveFile, digest_of, seal_of
from metering.store.store import UsageStore
from metering.worker.status import (
    ClosedRows,
    Moment,
    QuarantineTotal,
    alarms,
    document,
    unwritten_hours,
)

KEEP_CLOSED_MS = 600_000
"""How long after closing an hour stays in live/."""


@dataclass(slots=True)
class _Hours:
    """The hours of a partition, worked out once a closing round."""

    checkpoint_no: int
    closed: ClosedRows
    table: pa.Table


@dataclass(frozen=True, slots=True)
class _Changed:
    """A partition whose file is to be written: the hours closed lately, and what it will hold."""

    moment: Moment
    recent: tuple[str, ...]
    content: object


class Live:
    """Publishes the live files of one worker. `name` keeps the files of several workers apart."""

    def __init__(self, home: Path, store: UsageStore, *, policy: Policy, names_kept: int) -> None:
        self.folder = home / FOLDER
        self.home = home
        self.store = store
        self.policy = policy
        self.names_kept = names_kept
        self.name = ""
        self._shown: dict[str, set[int]] = {}
        self._hours_of: dict[str, _Hours] = {}
        self._quarantined: tuple[tuple[tuple[str, int], ...], list[QuarantineTotal]] | None = None
        self._left: dict[str, tuple[object, tuple[int, ...]]] = {}
        self._digests: dict[str, str] = {}
        self._counted: tuple[object, dict[str, dict[str, int] | None]] | None = None
        self._superseded = False

    def publish(self, moments: Sequence[Moment], now_ms: int) -> None:
        """Replace every live file; usage first, so that status never speaks of unseen usage."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._usage(moments, now_ms)
        self._supersede({moment.state.partition for moment in moments})
        hours = self._hours(moments, now_ms)
        quarantine = self._quarantine(moments)
        name = f"quarantine{self.name}.parquet"
        self._replace(name, tuple(quarantine), lambda: _quarantine_table(quarantine))
        said = [
            *alarms(moments, quarantine, now_ms),
            *self._disk_alarms(),
            *map(_uncounted, self._refused()),
        ]
        files = [LiveFile(name=name, sha256=self._digests[name]) for name in sorted(self._digests)]
        made = orjson.loads(orjson.dumps(document(moments, hours, quarantine, said, files, now_ms)))
        data = orjson.dumps(made | {SEAL: digest_of(made)}, option=orjson.OPT_INDENT_2)
        write_atomically(self.folder / f"status{self.name}.json", data + b"\n")

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
                for kind in (
                    "status{}.json",
                    "hours{}.parquet",
                    "quarantine{}.parquet",
                    "refused{}.parquet",
                ):
                    old = self.folder / kind.format(name)
                    seal_of(old).unlink(missing_ok=True)
                    old.unlink(missing_ok=True)
        self._superseded = True

    def _usage(self, moments: Sequence[Moment], now_ms: int) -> None:
        """partition=NNN.parquet: the open usage, and the hours that closed a short while ago."""
        owned = self.home / OWNED_NAMES
        owned_at = owned.stat().st_mtime_ns if owned.exists() else 0
        changed: dict[str, _Changed] = {}
        for moment in moments:
            state = moment.state
            recent = self._recently_closed(moment, now_ms)
            content = (state.flush_no, state.checkpoint_no, recent, owned_at)
            if not self._is_left(_usage_name(state.partition), content):
                changed[state.partition] = _Changed(moment, recent, content)
        wanted = wanted_hours(
            (partition, hour)
            for partition, one in changed.items()
            for hour in one.moment.open_requests
        )
        rows = folded(self.store, self.home, wanted, self.names_kept) if len(wanted) else ()
        for partition, found in groupby(rows, key=itemgetter(0)):
            self._write_usage(changed.pop(partition), (usage for _, _, usage in found))
        for one in changed.values():
            self._write_usage(one, ())

    def _write_usage(self, one: _Changed, usage: Iterable[pa.RecordBatch]) -> None:
        """The file of one partition: `usage`, and its hours that closed a short while ago."""
        state = one.moment.state
        name = _usage_name(state.partition)
        hidden = self.folder / f".{name}.{os.getpid()}"
        with UsageFile(hidden) as file:
            for rows in usage:
                file.add(rows)
            for rows in self._rows_of(one.recent):
                file.add(rows)
        self._put(name, hidden, one.content, file.sha256)
        self._shown[state.partition] = {
            *one.moment.open_requests,
            *(self._shown_before(state.partition) & state.closed.keys()),
        }

    def _recently_closed(self, moment: Moment, now_ms: int) -> tuple[str, ...]:
        """The files of hours that stood in live/ while open and closed a short while ago."""
        partition = moment.state.partition
        paths = []
        for hour in sorted(hour for hour in self._shown_before(partition)):
            known = moment.state.closed.get(hour)
            if known is None or known.closed_ms < now_ms - KEEP_CLOSED_MS:
                continue
            for revision in range(known.revision + 1):
                path = closed_file(self.home, time_of(hour), partition, revision).data_path
                if path.is_file():
                    paths.append(str(path))
        return tuple(paths)

    def _rows_of(self, paths: Sequence[str]) -> Iterator[pa.RecordBatch]:
        if paths:
            relation = self.store.connection.read_parquet(
                list(paths), hive_partitioning=False, union_by_name=True
            )
            for rows in relation.to_arrow_reader(100_000):
                yield with_later_counts(rows)

    def _shown_before(self, partition: str) -> set[int]:
        """Hours (ms) that readers have seen in live/; after a start, those in the file."""
        if partition not in self._shown:
            path = self.folder / _usage_name(partition)
            self._shown[partition] = set()
            if path.is_file():
                # A file that cannot be read was seen by nobody, and is about to be replaced.
                with suppress(pa.ArrowException, OSError, ValueError):
                    self._shown[partition] = _hours_in(path)
        return self._shown[partition]

    def _hours(self, moments: Sequence[Moment], now_ms: int) -> list[HourStatus]:
        """hours.parquet has every hour; the newest, and those that are not closed, are returned."""
        listed: list[HourStatus] = []
        content: list[object] = []
        unwritten: list[tuple[_Hours, dict[int, HourStatus]]] = []
        for moment in moments:
            known = self._closed_hours(moment)
            more = unwritten_hours(moment, known.closed, now_ms, self.policy)
            rows = {**known.closed.listed, **more}
            listed += [rows[hour] for hour in sorted(rows)]
            content.append((known.checkpoint_no, tuple(more.values())))
            unwritten.append((known, more))
        self._replace(
            f"hours{self.name}.parquet",
            tuple(content),
            lambda: pa.concat_tables([_hours_table(()), *map(_with_unwritten, unwritten)]),
        )
        return listed

    def _closed_hours(self, moment: Moment) -> _Hours:
        state = moment.state
        known = self._hours_of.get(state.partition)
        if known is None or known.checkpoint_no != state.checkpoint_no:
            rows = ClosedRows(state.partition, state.closed)
            known = _Hours(
                checkpoint_no=state.checkpoint_no,
                closed=rows,
                table=_hours_table(rows.by_hour.values()),
            )
            self._hours_of[state.partition] = known
        return known

    def _quarantine(self, moments: Sequence[Moment]) -> list[QuarantineTotal]:
        """What is in quarantine, by partition: read again after a flush."""
        flushes = tuple((moment.state.partition, moment.state.flush_no) for moment in moments)
        if self._quarantined is None or self._quarantined[0] != flushes:
            name = "statements/metering/partition/quarantine_totals"
            partitions = [partition for partition, _ in flushes]
            rows = self.store.read(name, QuarantineTotal, partitions=partitions)
            self._quarantined = (flushes, rows)
        return self._quarantined[1]

    def _refused(self) -> list[str]:
        """refused.parquet: the log lines that edges here could not read, by reason, as the agents
        count them beside their spools. Returns the edges whose counts cannot be read.
        """
        paths = sorted(self.home.glob("spool/*/rejected/counts.json"))
        stamps = tuple((path.parent.parent.name, _stamp(path)) for path in paths)
        if self._counted is None or self._counted[0] != stamps:
            found = {path.parent.parent.name: read_counts(path) for path in paths}
            self._counted = (stamps, found)
        counts = self._counted[1]
        self._replace(f"refused{self.name}.parquet", stamps, lambda: _refused_table(counts))
        return [edge_id for edge_id, found in counts.items() if found is None]

    def _disk_alarms(self) -> Iterator[str]:
        disk = shutil.disk_usage(self.home)
        if disk.free * 5 < disk.total:
            yield f"disk: {disk.free:,} bytes free, less than a fifth"

    def _replace(self, name: str, content: object, make: Callable[[], pa.Table]) -> None:
        """Write the file unless it stands there as it was left with the same `content`."""
        if self._is_left(name, content):
            return
        hidden = self.folder / f".{name}.{os.getpid()}"
        pq.write_table(make(), hidden, compression="zstd")
        self._put(name, hidden, content, sha256_file(hidden))

    def _is_left(self, name: str, content: object) -> bool:
        """Whether the file is the one left with this content, touched by nobody since."""
        left = self._left.get(name)
        return left is not None and left == (content, _stamp(self.folder / name))

    def _put(self, name: str, hidden: Path, content: object, sha256: str) -> None:
        """Replace a file, its seal first: a reader finds the hash of what it meets, before and
        after.
        """
        path = self.folder / name
        self._digests[name] = sha256
        digest = self._digests[name].encode()
        seal = seal_of(path)
        before = seal.read_bytes().split()[-1:] if seal.is_file() else []
        self._seal(seal, *before, digest)
        os.replace(hidden, path)
        self._seal(seal, digest)
        self._left[name] = (content, _stamp(self.folder / name))

    def _seal(self, seal: Path, *digests: bytes) -> None:
        aside = self.folder / f".{seal.name}.{os.getpid()}"
        aside.write_bytes(b"\n".join([*digests, b""]))
        os.replace(aside, seal)


def _usage_name(partition: str) -> str:
    return f"partition={partition}.parquet"


def _hours_in(path: Path) -> set[int]:
    """The hours (UTC ms) of which a live file has rows."""
    buckets = pq.read_table(path, columns=["bucket"], partitioning=None)
    seen = buckets.column("bucket").unique().to_pylist()
    return {hour_of(to_ms(at.replace(tzinfo=UTC))) for at in seen if at is not None}


def _stamp(path: Path) -> tuple[int, ...]:
    """What tells that a file was touched: inode, size, time of change; empty when it is gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _with_unwritten(hours: tuple[_Hours, dict[int, HourStatus]]) -> pa.Table:
    """The hours of one partition, those with unwritten usage in the place of what was closed."""
    known, more = hours
    table = known.table
    late = [hour for hour in more if hour in known.closed.by_hour]
    if late:
        stamps = pa.array([time_of(ms).replace(tzinfo=None) for ms in late])
        wanted = stamps.cast(pa.timestamp("us"))
        table = table.filter(pc.invert(pc.is_in(table["hour"], value_set=wanted)))
    return pa.concat_tables([table, _hours_table(more.values())])


def _hours_table(hours: Iterable[HourStatus]) -> pa.Table:
    rows = list(hours)
    return pa.table(
        {
            "hour": pa.array(
                [parse_hour(row.hour).replace(tzinfo=None) for row in rows],
                type=pa.timestamp("us"),
            ),
            "partition": pa.array([row.partition for row in rows], type=pa.string()),
            "state": pa.array([row.state for row in rows], type=pa.string()),
            "accepted": pa.array([row.accepted for row in rows], type=pa.int64()),
            "late": pa.array([row.late for row in rows], type=pa.int64()),
            "missing_edges": pa.array(
                [list(row.missing_edges) for row in rows], type=pa.list_(pa.string())
            ),
        }
    )


def _uncounted(edge_id: str) -> str:
    return f"refused: the counts of {edge_id}'s refused lines are damaged: see edge status"


def _refused_table(counts: Mapping[str, Mapping[str, int] | None]) -> pa.Table:
    rows = [
        (edge_id, reason, count)
        for edge_id, found in counts.items()
        for reason, count in (found or {}).items()
    ]
    return pa.table(
        {
            "edge_id": pa.array([row[0] for row in rows], type=pa.string()),
            "reason": pa.array([row[1] for row in rows], type=pa.string()),
            "lines": pa.array([row[2] for row in rows], type=pa.int64()),
        }
    )


def _quarantine_table(rows: Sequence[QuarantineTotal]) -> pa.Table:
    def times(values: Iterable[int]) -> pa.TimestampArray:
        found = [time_of(ms).replace(tzinfo=None) for ms in values]
        return pa.array(found, type=pa.timestamp("us"))

    return pa.table(
        {
            "reason": pa.array([row.reason for row in rows], type=pa.string()),
            "source": pa.array([row.source for row in rows], type=pa.string()),
            "records": pa.array([row.records for row in rows], type=pa.int64()),
            "first_seen": times(row.first_seen_ms for row in rows),
            "last_seen": times(row.last_seen_ms for row in rows),
        }
    )
