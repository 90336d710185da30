"""Running sums of a flush: the same counts as batch by batch, or a plain refusal."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.batch.packing import pack
from edge.batch.records import EventColumns, PackedEvents, totals
from edge.errors import Corrupt
from edge.event import BUCKET_MS, CLASSES
from metering.counting import sums as module
from metering.counting.flush import Flush, Names
from metering.counting.records import COUNTS
from metering.counting.sums import NAMES_MAX, TABLES_MAX, Sums, counted

T0 = 1_790_000_100_000

events = st.lists(
    st.tuples(
        st.integers(0, 5),  # domain
        st.sampled_from([0, 1, 299_999, 300_000, 700_000]),  # ms after T0
        st.integers(0, 3),
        st.sampled_from([0, 101, 200, 304, 404, 999]),
        st.integers(0, 2),
        st.sampled_from([0, 1, 1 << 33]),
    ),
    min_size=1,
    max_size=30,
)


def packed(rows: list[tuple[int, ...]], *, name: str = "d", start: int = T0) -> PackedEvents:
    """Events as they travel."""
    columns: list[Any] = list(zip(*rows, strict=True))
    return pack(
        EventColumns(
            domains=tuple(f"{name}{number}.example" for number in range(max(columns[0]) + 1)),
            domain_index=np.array(columns[0], dtype=np.int32),
            time_ms=start + np.array(columns[1], dtype=np.int64),
            carrier=np.array(columns[2], dtype=np.uint8),
            status=np.array(columns[3], dtype=np.uint16),
            cache=np.array(columns[4], dtype=np.uint8),
            bytes_sent=np.array(columns[5], dtype=np.int64),
        )
    )


def held(sums: Sums, names: Names) -> dict[Any, tuple[int, ...]]:
    """What the tables hold, by key."""
    known = names.array().to_pylist()
    return {
        (rows.bucket_ms, rows.region, known[name], class_code): tuple(counts)
        for rows in sums.rows()
        for name, class_code, counts in zip(
            rows.name.tolist(), rows.class_code.tolist(), rows.counts.tolist(), strict=True
        )
    }


def slowly(batches: list[tuple[PackedEvents, str]]) -> dict[Any, tuple[int, ...]]:
    """The same by edge.batch.totals, added up one row at a time."""
    found: dict[Any, Counter[int]] = {}
    for batch, region in batches:
        rows = totals(batch)
        for row in range(len(rows)):
            key = (
                int(rows.bucket_ms[row]),
                region,
                rows.domains[rows.domain_index[row]],
                int(rows.class_code[row]),
            )
            counts = (
                rows.requests[row],
                rows.bytes_sent[row],
                *rows.status_requests[row],
                rows.cache_hits[row],
            )
            sums = found.setdefault(key, Counter())
            for place, value in enumerate(counts):
                sums[place] += int(value)
    return {key: tuple(sums[place] for place in range(10)) for key, sums in found.items()}


@given(
    st.lists(
        st.tuples(events, st.sampled_from("ab"), st.sampled_from(["DE", "US"])),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([1, 7, 1 << 18]),
)
def test_c1_sums_of_many_batches_equal_their_rows_added_up(
    made: list[tuple[list[tuple[int, ...]], str, str]], together: int
) -> None:
    sums, names = Sums(), Names()
    batches = [(packed(rows, name=name), region) for rows, name, region in made]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TOGETHER", together)
        for batch, region in batches:
            added = sums.add(batch, names.ids(batch.domains), region)
            assert added is not None
            assert sum(count for _, count in added) == len(batch)
    assert held(sums, names) == slowly(batches)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), min_size=1, max_size=200),
    st.sampled_from([1, 100]),
)
def test_c1_requests_and_bytes_of_one_pass_are_exact_up_to_the_largest_sizes(
    events: list[tuple[int, int]], times: int
) -> None:
    cells = np.array([cell for cell, _ in events] * times, dtype=np.int32)
    sizes = [(1 << bits) - 1 + (bits > 40) for _, bits in events] * times
    parts = [np.array([size], dtype=np.min_scalar_type(size)) for size in sizes]
    requests, bytes_sent = counted([cells], parts, 7)
    for cell in range(7):
        own = [size for place, size in zip(cells.tolist(), sizes, strict=True) if place == cell]
        assert (requests[cell], bytes_sent[cell]) == (len(own), sum(own))


ONE = (0, 0, 1, 200, 1, 5)


def test_a_name_twice_in_one_batch_counts_with_both() -> None:
    sums, names = Sums(), Names()
    batch = packed([ONE, (1, 0, 1, 200, 1, 5)])
    batch = replace(batch, domains=("d0.example", "d0.example"))
    batch = replace(batch, domain_index=np.array([0, 1], dtype=np.uint8))
    assert sums.add(batch, names.ids(batch.domains), "DE") is not None
    assert [row[:2] for row in held(sums, names).values()] == [(2, 10)]


def test_bytes_that_could_wrap_64_bits_are_not_added_here() -> None:
    sums, names = Sums(), Names()
    batch = packed([(0, 0, 1, 200, 1, 1 << 50)] * 64)
    ids = names.ids(batch.domains)
    taken = 0
    while sums.add(batch, ids, "DE") is not None:
        taken += 1
    ((_, size, *_),) = held(sums, names).values()
    assert size == taken * 64 << 50
    assert size < 1 << 62


@pytest.mark.parametrize("what", ["buckets", "names", "tables"])
def test_a_batch_that_does_not_fit_the_tables_changes_nothing(what: str) -> None:
    sums, names = Sums(), Names()
    batch = packed([ONE, (0, 10 * BUCKET_MS if what == "buckets" else 0, 1, 200, 1, 5)])
    if what == "names":
        names.ids([f"x{number}" for number in range(NAMES_MAX)])
    if what == "tables":
        for number in range(TABLES_MAX):
            early = packed([ONE], start=T0 - (number + 1) * BUCKET_MS)
            assert sums.add(early, names.ids(early.domains), "DE") is not None
    before = held(sums, names)
    assert sums.add(batch, names.ids(batch.domains), "DE") is None
    assert held(sums, names) == before


@given(st.lists(st.tuples(events, st.sampled_from(["DE", "US"])), min_size=1, max_size=4))
def test_a_flush_hands_over_one_row_a_key_whichever_way_its_batches_were_counted(
    made: list[tuple[list[tuple[int, ...]], str]],
) -> None:
    flush = Flush(partition="000", names=Names())
    batches = [(packed(rows), region) for rows, region in made]
    for place, (batch, region) in enumerate(batches):
        flush.names.ids(batch.domains)
        if place % 2:
            flush.count(totals(batch), region)
        else:
            assert flush._sums.add(batch, flush.names.ids(batch.domains), region) is not None
            flush._counted += len(batch)
    rows = flush.usage().to_pylist()
    keys = [(r["bucket_ms"], r["region"], r["domain"], CLASSES.index(r["class"])) for r in rows]
    counts = [tuple(r[name] for name in COUNTS) for r in rows]
    assert len(set(keys)) == len(rows)
    assert dict(zip(keys, counts, strict=True)) == slowly(batches)


@pytest.mark.parametrize("column", ["requests", "bytes_sent"])
def test_sums_that_64_bits_do_not_bear_are_refused_and_never_wrap(column: str) -> None:
    flush = Flush(partition="000", names=Names())
    rows = totals(packed([ONE]))
    for _ in range(3):
        flush.count(replace(rows, **{column: np.array([(1 << 62) - 1])}), "DE")
    with pytest.raises(Corrupt, match=f"{3 * (1 << 62) - 3}"):
        flush.usage()
