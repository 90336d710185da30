"""What becomes of each batch, and that everything read is accounted for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.batch.codec import encode_counters, encode_events
from edge.batch.records import CounterColumns, EventColumns
from edge.errors import Corrupt
from edge.event import AHEAD_MS_MAX, TIME_MS_MIN
from metering.counting.batches import Intake
from metering.counting.flush import Flush, Names
from metering.counting.quarantine import Quarantine, QuarantineFull
from metering.counting.records import Rejected
from metering.sources.source import SourceBatch
from tests.metering.world import HOUR, T0, Edge, Event, World, columns, counted


class Desk:
    """An intake with its flush and what it sent to quarantine, without a store."""

    def __init__(self) -> None:
        self.kept: list[Rejected] = []
        self.flush = Flush(partition="spool", names=Names())
        self.intake = Intake(
            partition="spool",
            edges={},
            flush=self.flush,
            digests=self,
            keep=self.kept.append,
        )

    def known_digests(self, partition: str, wanted: Any) -> dict[Any, bytes]:
        """Nothing was stored before."""
        return {}

    def take(self, *payloads: bytes | None, now: int = T0 + HOUR) -> Desk:
        """Take these units and settle."""
        for number, payload in enumerate(payloads):
            self.intake.take(
                SourceBatch(
                    partition="spool", source="s", position_after=str(number), payload=payload
                ),
                now,
            )
        self.intake.settle()
        self.flush.check()
        return self

    def reasons(self) -> dict[str, int]:
        """Quarantined records by reason."""
        return {reason: sums[0] for (reason, _), sums in self.flush.rejects.items()}


def flipped(data: bytes, place: int = -1) -> bytes:
    """`data` with one bit turned over."""
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def test_d20_a_batch_that_comes_twice_is_counted_once() -> None:
    batch = Edge().batch(Event(), Event(at=T0 + 1))
    desk = Desk().take(batch, batch, batch)
    assert (desk.flush.events.read, desk.flush.events.accepted) == (6, 2)
    assert desk.flush.events.duplicate == 4
    assert desk.kept == []


def test_d20_the_same_identity_with_other_content_is_a_fork_and_the_first_stays_counted() -> None:
    first = Edge().batch(Event(size=1))
    second = Edge().batch(Event(size=2), Event(size=3))
    desk = Desk().take(first, second)
    assert desk.flush.events.accepted == 1
    assert desk.reasons() == {"fork": 2}
    assert desk.kept[0].data == second


def test_d15_an_unknown_version_goes_to_quarantine_whole_and_counts_as_one_record() -> None:
    batch = bytearray(Edge().batch(Event()))
    batch[3] = 99
    desk = Desk().take(bytes(batch))
    assert desk.reasons() == {"version": 1}
    assert desk.kept[0].data == bytes(batch)
    assert desk.flush.batches.quarantined == 1


def test_c26_a_damaged_payload_is_quarantined_and_a_good_copy_is_still_accepted() -> None:
    batch = Edge().batch(Event(), Event())
    desk = Desk().take(flipped(batch), batch)
    assert desk.reasons() == {"checksum": 2}
    assert desk.flush.events.accepted == 2
    assert desk.flush.events.read == 4


def test_c26_a_damaged_payload_leaves_a_visible_hole() -> None:
    edge = Edge()
    good, bad, later = edge.batch(Event()), edge.batch(Event()), edge.batch(Event())
    desk = Desk().take(good, flipped(bad), later)
    (gap,) = desk.intake.edges["edge-1"].gaps()
    assert (gap.missing.first_sequence, gap.missing.last_sequence) == (1, 1)


@given(st.binary(max_size=300))
def test_c26_any_bytes_are_quarantined_with_a_reason_and_never_raise(data: bytes) -> None:
    desk = Desk().take(data)
    assert desk.flush.batches.quarantined == 1
    assert [one.data for one in desk.kept] == [data]


@given(st.integers(0, 400), st.integers(0, 7))
def test_c26_a_batch_with_any_flipped_bit_is_never_counted_wrongly(place: int, bit: int) -> None:
    batch = bytearray(Edge().batch(Event(size=77)))
    batch[place % len(batch)] ^= 1 << bit
    desk = Desk().take(bytes(batch))
    assert desk.flush.events.accepted == 0


def test_a_damaged_frame_of_the_transport_is_kept_and_counted() -> None:
    desk = Desk().take(None)
    assert desk.reasons() == {"damaged": 1}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("before_2000", TIME_MS_MIN, TIME_MS_MIN - 1),
        ("ahead", T0 + HOUR + AHEAD_MS_MAX, T0 + HOUR + AHEAD_MS_MAX + 1),
    ],
)
def test_an_absurd_time_is_quarantined_alone_and_its_neighbours_are_counted(
    kind: str, good: int, bad: int
) -> None:
    batch = Edge().batch(Event(at=good), Event(at=bad), Event(at=T0), Event(at=T0))
    desk = Desk().take(batch)
    assert (desk.flush.events.accepted, desk.reasons()) == (3, {"clock": 1})
    assert desk.flush.events.read == 4
    assert desk.flush.batches.accepted == 1


def test_a_batch_of_absurd_times_only_is_held_and_counts_nothing() -> None:
    desk = Desk().take(Edge().batch(Event(at=5), Event(at=6)))
    assert (desk.flush.events.accepted, desk.reasons()) == (0, {"clock": 2})
    assert desk.intake.edges["edge-1"].holds(7, 0)


def counters(*rows: tuple[int, int]) -> CounterColumns:
    """Counts of (bucket ms, requests) for one domain over https."""
    requests = np.array([row[1] for row in rows], dtype=np.int64)
    status = np.zeros((len(rows), 7), dtype=np.int64)
    status[:, 2] = requests
    return CounterColumns(
        domains=("a.example.com",),
        bucket_ms=np.array([row[0] for row in rows], dtype=np.int64),
        domain_index=np.zeros(len(rows), dtype=np.int32),
        class_code=np.ones(len(rows), dtype=np.uint8),
        requests=requests,
        bytes_sent=requests * 10,
        status_requests=status,
        cache_hits=np.zeros(len(rows), dtype=np.int64),
    )


def test_a_counters_batch_counts_for_the_requests_it_stands_for() -> None:
    identity = {"edge_id": "e", "region": "de", "epoch": 1, "sequence": 0, "watermark_ms": 0}
    batch = encode_counters(counters((T0, 1000), (T0 + 300_000, 234)), **identity)
    desk = Desk().take(batch, batch)
    assert (desk.flush.events.accepted, desk.flush.events.duplicate) == (1234, 1234)


def test_a_counters_batch_gives_up_only_its_absurd_buckets() -> None:
    identity = {"edge_id": "e", "region": "de", "epoch": 1, "sequence": 0, "watermark_ms": 0}
    desk = Desk().take(encode_counters(counters((300_000, 5), (T0, 7)), **identity))
    assert (desk.flush.events.accepted, desk.reasons()) == (7, {"clock": 5})


def test_d10_bytes_are_summed_exactly_up_to_the_largest_event() -> None:
    big = (1 << 50) - 1
    desk = Desk().take(Edge().batch(*[Event(size=big - number) for number in range(20)]))
    (row,) = desk.flush.usage().to_pylist()
    assert row["bytes_sent"] == sum(big - number for number in range(20))


def test_d10_a_batch_that_claims_more_than_64_pebibytes_is_refused_not_wrapped() -> None:
    count = 200
    many = EventColumns(
        domains=("a",),
        domain_index=np.zeros(count, dtype=np.int32),
        time_ms=np.full(count, T0, dtype=np.int64),
        carrier=np.ones(count, dtype=np.uint8),
        status=np.full(count, 200, dtype=np.uint16),
        cache=np.zeros(count, dtype=np.uint8),
        bytes_sent=np.full(count, 1 << 50, dtype=np.int64),
    )
    identity = {"edge_id": "e", "region": "de", "epoch": 1, "sequence": 0, "watermark_ms": 0}
    desk = Desk().take(encode_events(many, **identity))
    assert desk.reasons() == {"bytes": count}


@given(
    st.lists(
        st.builds(
            Event,
            at=st.integers(T0 - HOUR, T0 + HOUR),
            domain=st.sampled_from(["", "a.com", "b.com", "c.org"]),
            kind=st.integers(0, 3),
            status=st.integers(0, 999),
            size=st.integers(0, 1 << 50),
            cache=st.integers(0, 2),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_counting_in_columns_equals_counting_one_by_one(events: list[Event]) -> None:
    desk = Desk().take(Edge().batch(*events))
    found = {}
    sums = [0, 0, 0]
    for row in desk.flush.usage().to_pylist():
        key = (row["bucket_ms"], row["domain"] or None, row["class"])
        found[key] = found.get(key, 0) + row["requests"]
        sums[0] += row["bytes_sent"]
        sums[1] += row["status_4xx"]
        sums[2] += row["cache_hits"]
    assert found == dict(counted(events))
    assert sums == [
        sum(event.size for event in events),
        sum(event.status // 100 == 4 for event in events),
        sum(event.cache == 1 for event in events),
    ]


def test_a_flush_that_does_not_add_up_is_refused() -> None:
    desk = Desk().take(Edge().batch(Event()))
    desk.flush.events.read += 1
    with pytest.raises(Corrupt, match="does not add up"):
        desk.flush.check()


def test_c29_quarantining_the_same_bytes_twice_keeps_one_copy(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, 1 << 20)
    rejected = Rejected(
        partition="spool",
        source="s",
        position="1",
        reason="version",
        detail="version 9",
        data=b"rubbish",
        seen_ms=T0,
    )
    quarantine.keep(rejected)
    before = sorted(tmp_path.rglob("*"))
    quarantine.keep(rejected)
    assert sorted(tmp_path.rglob("*")) == before
    assert quarantine.kept_bytes == 7


def test_c28_a_flood_of_rubbish_is_counted_and_halts_at_the_limit(tmp_path: Path) -> None:
    world = World(tmp_path, quarantine_bytes=3000)
    with pytest.raises(QuarantineFull, match="halts"):
        world.drain(*[b"rubbish %4d" % number * 10 for number in range(100)])


def test_c27_a_quarantine_that_cannot_be_written_keeps_the_position(tmp_path: Path) -> None:
    world = World(tmp_path)
    (tmp_path / "quarantine").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="quarantine"):
        world.drain(b"rubbish")
    (tmp_path / "quarantine").unlink()
    world.drain()
    assert world.status()["quarantined"] == 1
    assert columns([Event()]).domains == ("a.example.com",)
