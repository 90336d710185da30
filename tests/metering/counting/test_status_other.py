"""Statuses of 600 and above (E4): counted like any other, in a column that older files lack."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import sql
from edge.batch.codec import decode_header, decode_packed, encode_counters, encode_events
from edge.batch.records import totals
from metering.closed import list_closed
from metering.hours import checkpoint
from metering.store.store import UsageStore
from tests.metering.world import HOUR, T0, Edge, Event, World, columns

ODD = (600, 777, 999)


def counted(home: Path) -> tuple[int, int, int]:
    """(requests, class other, class 2xx) of the closed files of a home."""
    found = duckdb.execute(
        "SELECT sum(requests)::BIGINT, sum(status_other)::BIGINT, sum(status_2xx)::BIGINT"
        " FROM read_parquet($paths, union_by_name = true)",
        {"paths": [str(file.data_path) for file in list_closed(home)]},
    ).fetchone()
    assert found is not None
    return found[0], found[1] or 0, found[2]


@pytest.mark.parametrize("status", ODD)
def test_e4_a_status_above_599_is_counted_as_class_other(status: int, tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event(status=status), Event(status=204)), edge.heartbeat(T0 + HOUR))
    assert world.status()["accepted"] == 2
    assert world.status()["quarantined"] == 0
    assert counted(tmp_path) == (2, 1, 1)
    assert world.broken() == []


def test_e4_a_batch_that_goes_as_rows_counts_them_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    many = [
        Event(domain=f"h{n}.example.com", at=T0 + n * 300_000, status=ODD[n % 3]) for n in range(12)
    ]
    world.drain(edge.batch(*many), edge.heartbeat(T0 + HOUR))
    assert counted(tmp_path) == (12, 12, 0)


def test_e4_counters_of_a_full_disk_carry_the_class_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    packed = encode_events(columns([Event(status=999), Event(status=200)]), **edge._identity(0))
    rows = totals(decode_packed(decode_header(packed), packed))
    world.drain(encode_counters(rows, **edge._identity(0)), edge.heartbeat(T0 + HOUR), packed)
    assert counted(tmp_path) == (4, 2, 2)


def without_the_column(home: Path) -> None:
    """Make usage.duckdb what a version before E4 left."""
    with duckdb.connect(str(home / "usage.duckdb")) as connection:
        connection.execute("ALTER TABLE usage DROP COLUMN status_other")


def test_e4_a_store_of_before_is_brought_up_to_it_and_goes_on_exactly(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event()), edge.batch(Event(status=503)))
    without_the_column(tmp_path)
    world.drain(edge.batch(Event(status=610)), edge.heartbeat(T0 + HOUR))
    assert counted(tmp_path) == (3, 1, 1)
    assert world.broken() == []


def test_e4_a_checkpoint_of_before_is_loaded_and_goes_on_exactly(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event(), Event(at=T0 + HOUR)), edge.heartbeat(T0 + HOUR))
    number = checkpoint.numbers(tmp_path, "spool")[-1]
    path = checkpoint.path_of(tmp_path, "spool", number)
    head, tables = checkpoint.read(path)
    tables["usage"] = tables["usage"].drop_columns(["status_other"])
    tables["edges"] = tables["edges"].drop_columns(["held"])
    path.unlink()
    checkpoint.write(path, head, ((name, iter(batches(one))) for name, one in tables.items()))
    world.forget_store()
    world.drain(edge.batch(Event(at=T0 + HOUR, status=777)), edge.heartbeat(T0 + 2 * HOUR))
    assert counted(tmp_path) == (3, 1, 2)
    assert world.broken() == []


def batches(table: pa.Table) -> list[pa.RecordBatch]:
    """The rows of a table, and at least one batch for its shape."""
    return table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]


def test_e4_closed_files_of_before_and_of_now_stand_side_by_side_in_live(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    world.drain(edge.batch(Event(), Event(at=T0 + HOUR)))
    world.drain(edge.heartbeat(T0 + HOUR))
    (file,) = list_closed(tmp_path)
    rows = duckdb.read_parquet(str(file.data_path)).to_arrow_table()
    import pyarrow.parquet as pq

    pq.write_table(rows.drop_columns(["status_other"]), file.data_path)
    world.drain(edge.batch(Event(at=T0 + HOUR, status=700)))
    live = duckdb.execute(
        "SELECT sum(requests)::BIGINT, sum(status_other)::BIGINT FROM read_parquet($path)",
        {"path": str(tmp_path / "live" / "partition=spool.parquet")},
    ).fetchone()
    assert live == (3, 1)


def test_e4_the_schema_can_be_run_again_and_keeps_what_is_there(tmp_path: Path) -> None:
    with UsageStore(tmp_path / "usage.duckdb", threads=1) as store:
        before = store.connection.table("usage").columns
    with UsageStore(tmp_path / "usage.duckdb", threads=1) as store:
        store.connection.execute(sql.text("schema/metering"))
        assert store.connection.table("usage").columns == before
        assert np.sum([name == "status_other" for name in before]) == 1
