"""What a checkpoint needs besides whole tables: rows kept for a window, as files of their own.

Digests of accepted batches (and the ids of JSON events) are many and only ever added to. Each round
writes those that are new to one immutable Parquet file, and the checkpoint names the files that
still reach into the window.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from edge.durable import fsync_folder, sha256_file
from edge.errors import Corrupt
from metering.counting.records import Windowed
from metering.hours import checkpoint
from metering.hours.certificate import Round
from metering.hours.checkpoint import Sidecar
from metering.store.records import PartitionState
from metering.store.windowed import rows_of


def write(
    home: Path,
    connection: duckdb.DuckDBPyConnection,
    windows: Sequence[Windowed],
    state: PartitionState,
    around: Round,
) -> list[Sidecar]:
    """Write what came to the `windows` since the last round; all sidecars still inside of them."""
    newest = max(checkpoint.numbers(home, state.partition), default=0)
    kept: list[Sidecar] = []
    if newest and newest == state.checkpoint_no:
        head = checkpoint.read_head(checkpoint.path_of(home, state.partition, newest))
        kept = [one for one in head.sidecars if _reaches(one, windows, around.now_ms)]
    for window in windows:
        after = state.checkpoint_flush_no
        table = pa.Table.from_batches(rows_of(connection, window.table, state.partition, after))
        if not len(table):
            continue
        name = f"{window.table}-{around.checkpoint:012d}-g{state.generation}.parquet"
        path = checkpoint.folder(home, state.partition) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="zstd")
        with open(path, "rb+") as file:
            file.flush()
            os.fsync(file.fileno())
        fsync_folder(path.parent)
        kept.append(
            Sidecar(
                table=window.table, file=name, sha256=sha256_file(path), newest_ms=around.now_ms
            )
        )
    return kept


def _reaches(sidecar: Sidecar, windows: Sequence[Windowed], now_ms: int) -> bool:
    keep = {window.table: window.keep_ms for window in windows}
    return sidecar.newest_ms > now_ms - keep.get(sidecar.table, 0)


def load(home: Path, head: checkpoint.Head) -> Iterator[tuple[str, pa.Table]]:
    """The rows of the sidecars a checkpoint names; raises Corrupt where one differs."""
    for sidecar in head.sidecars:
        path = checkpoint.folder(home, head.partition) / sidecar.file
        if not path.is_file() or sha256_file(path) != sidecar.sha256:
            raise Corrupt(
                f"{path} is missing or differs from what its checkpoint names",
                "restore the closed folder from its backup",
            )
        yield sidecar.table, pq.read_table(path)
