"""The emitter: never blocks, never raises, counts what it refuses, loses nothing it accepted."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from edge.batch.codec import decode_counters, decode_events, decode_header
from edge.batch.packing import pack
from edge.batch.records import CounterColumns, totals
from edge.emitter import Emitter, EmitterOptions
from edge.spool.full_disk_counters import CounterStore
from edge.spool.segment import read_frames
from edge.spool.spool import Spool, SpoolOptions
from tests.edge.samples import NOON_MS, columns, counted, event, open_spool, some, spooled_rows
from tests.edge.spool.disks import FailingDisk, FullDisk
from tests.effort import PATIENCE_S

FAST = EmitterOptions(interval_s=0.005)


def now_ms() -> int:
    """The emitter's clock stands at noon."""
    return NOON_MS


def emitter_on(spool: Spool, options: EmitterOptions = FAST) -> Emitter:
    """An emitter whose clock stands."""
    return Emitter(spool, options, now_ms=now_ms)


def counts_in(folder: Path) -> dict[str, int]:
    """Requests per domain a reader of the spool would count, from events and from counters."""
    found: dict[str, int] = {}
    for frame in read_frames(folder, max_bytes=1 << 40):
        header = decode_header(frame.payload)
        if header.kind == "events":
            events = decode_events(header, frame.payload)
            for index in events.domain_index.tolist():
                found[events.domains[index]] = found.get(events.domains[index], 0) + 1
        elif header.kind == "counters":
            add(found, decode_counters(header, frame.payload))
    return found


def add(found: dict[str, int], counters: CounterColumns) -> None:
    """Add the requests of `counters` by domain."""
    for index, requests in zip(
        counters.domain_index.tolist(), counters.requests.tolist(), strict=True
    ):
        name = counters.domains[index]
        found[name] = found.get(name, 0) + requests


def test_flush_returns_when_all_accepted_events_are_in_the_spool(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool, emitter_on(spool) as emitter:
        for number in range(500):
            assert emitter.emit(event(number))
        assert emitter.flush(30)
        assert emitter.durable == 500
        assert len(spooled_rows(tmp_path)) == 500
        assert emitter.flush(30), "nothing waits: nothing to wait for"


def test_every_field_of_an_emitted_event_arrives(tmp_path: Path) -> None:
    sent = [
        event(1, domain="BÜCHER.example:443", scheme="https", transport="quic", event_id="id-1"),
        event(2, domain="192.0.2.1", scheme="http", status=0, bytes_sent=0, cache=None),
        event(3, domain="a.example", cache="miss", status=599, bytes_sent=1 << 50),
    ]
    with open_spool(tmp_path) as spool, emitter_on(spool) as emitter:
        assert all(emitter.emit(one) for one in sent)
    assert spooled_rows(tmp_path) == [
        (NOON_MS + 1, "xn--bcher-kva.example", 2, 200, 1, 1001, "id-1"),
        (NOON_MS + 2, "", 0, 0, 0, 0, ""),
        (NOON_MS + 3, "a.example", 1, 599, 2, 1 << 50, ""),
    ]


WRONG: list[tuple[Any, str]] = [
    (event(status=1000), "status"),
    (event(bytes_sent=-1), "bytes"),
    (event(time_ms=0), "clock"),
    (event(scheme="gopher"), "scheme"),
    (event(domain=None), "schema"),
    (None, "error"),
    ("event", "error"),
]


@pytest.mark.parametrize(("wrong", "reason"), WRONG)
def test_what_is_wrong_is_refused_and_counted_and_never_raises(
    tmp_path: Path, wrong: Any, reason: str
) -> None:
    with open_spool(tmp_path) as spool, emitter_on(spool) as emitter:
        assert not emitter.emit(wrong)
        assert emitter.emit(event())
        assert emitter.refused == {reason: 1}
    assert len(spooled_rows(tmp_path)) == 1


def test_emitting_from_many_threads_loses_nothing(tmp_path: Path) -> None:
    accepted: list[int] = []

    def work(emitter: Emitter, start: int) -> None:
        accepted.append(sum(emitter.emit(event(start + n)) for n in range(1000)))

    with open_spool(tmp_path) as spool, emitter_on(spool) as emitter:
        threads = [threading.Thread(target=work, args=(emitter, n * 1000)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert emitter.flush(30)
    assert sum(accepted) == 8000
    assert [row[0] for row in spooled_rows(tmp_path)] == [NOON_MS + n for n in range(8000)]


class GatedDisk(FullDisk):
    """A disk whose syncs wait until the gate is opened."""

    def __init__(self) -> None:
        super().__init__(1 << 30)
        self.gate = threading.Event()
        self.gate.set()

    def sync(self, descriptor: int) -> None:
        assert self.gate.wait(PATIENCE_S)


def test_a_slow_disk_never_blocks_the_caller_and_memory_is_bounded(tmp_path: Path) -> None:
    disk = GatedDisk()
    options = EmitterOptions(capacity=100, batch_events=10, interval_s=0.001)
    with open_spool(tmp_path, disk=disk) as spool, emitter_on(spool, options) as emitter:
        disk.gate.clear()
        accepted = sum(emitter.emit(event(number)) for number in range(1000))
        assert not emitter.flush(0.01)
        refused = emitter.refused
        disk.gate.set()
        assert emitter.flush(30)
        assert 100 <= accepted < 1000
        assert refused == {"full": 1000 - accepted}
    assert len(spooled_rows(tmp_path)) == accepted


def test_a14_closing_stores_all_that_was_accepted_and_refuses_the_rest(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        emitter = emitter_on(spool, EmitterOptions(interval_s=60))
        assert all(emitter.emit(event(number)) for number in range(100))
        assert emitter.close()
        assert not emitter.emit(event())
        assert emitter.refused == {"closed": 1}
        assert emitter.flush(1)
        assert emitter.close(), "closing twice is fine"
    assert len(spooled_rows(tmp_path)) == 100


def test_a14_an_append_of_unknown_outcome_is_counted_once(tmp_path: Path) -> None:
    """Whichever I/O call fails while events come in: each is there once, as event or counter."""
    for first in some(range(5, 40), 4):
        folder = tmp_path / str(first)
        disk = FailingDisk(first, count=3)
        options = SpoolOptions(segment_bytes=1500, reserve_bytes=0)
        try:
            spool = open_spool(folder, disk=disk, options=options)
        except Exception:
            continue
        with spool, emitter_on(spool) as emitter:
            for number in range(30):
                assert emitter.emit(event(number))
                if number % 5 == 0:
                    assert emitter.flush(30)
            assert emitter.flush(30)
            assert emitter.durable == 30
        assert counts_in(folder) == {"www.example": 30}


def test_a4_on_a_full_disk_events_become_exact_counters(tmp_path: Path) -> None:
    disk = FullDisk(70_000)
    with open_spool(tmp_path, disk=disk) as spool, emitter_on(spool) as emitter:
        for number in range(3000):
            assert emitter.emit(event(number, domain=f"d{number % 7}.example"))
            if number % 100 == 0:
                emitter.flush(0.02)
        for _ in range(600):  # until the emitter's thread has come to all of them
            assert not emitter.flush(0.05)
            if emitter.durable + emitter.coalesced == 3000:
                break
        assert emitter.coalesced > 0
        assert emitter.durable + emitter.coalesced == 3000
        disk.room = 1 << 20
        assert emitter.flush(30)
        assert emitter.durable == 3000
    assert counts_in(tmp_path) == {f"d{n}.example": 3000 // 7 + (n < 3000 % 7) for n in range(7)}


def test_a4_a_reserve_holds_the_counters_when_the_disk_stays_full(tmp_path: Path) -> None:
    disk = FullDisk(10 << 20)
    spool = open_spool(tmp_path, disk=disk, options=SpoolOptions())
    emitter = emitter_on(spool)
    for number in range(3000):
        assert emitter.emit(event(number))
    assert emitter.flush(30)
    disk.room = 0
    for number in range(3000):
        assert emitter.emit(event(number))
    assert emitter.flush(30)
    assert emitter.coalesced > 0
    assert emitter.close()
    spool.close()
    assert not (tmp_path / "reserve").exists()
    assert counts_in(tmp_path) == {"www.example": 6000}


def test_an_idle_edge_sends_heartbeats(tmp_path: Path) -> None:
    clock = iter(range(NOON_MS, NOON_MS + 10**9, 5_000))
    with open_spool(tmp_path) as spool:
        emitter = Emitter(spool, FAST, now_ms=lambda: next(clock))
        while not list(read_frames(tmp_path)):
            emitter.flush(0.01)
        emitter.close()
    header = decode_header(next(read_frames(tmp_path)).payload)
    assert header.kind == "heartbeat"
    assert header.watermark_ms > NOON_MS


def test_a_forked_child_refuses_instead_of_hanging(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool, emitter_on(spool) as emitter:
        child = os.fork()
        if child == 0:
            os._exit(0 if not emitter.emit(event()) and not emitter.refused.get("x") else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert emitter.emit(event())
    assert len(spooled_rows(tmp_path)) == 1


def test_counters_are_exact_and_bounded() -> None:
    """Beyond the limit of names, further ones count as unattributed: sums stay exact."""
    store = CounterStore(keys_max=20)
    expected = 0
    for seed in range(5):
        made = columns(1000, seed=seed, span_ms=700_000)
        store.add(totals(pack(made)))
        expected += int(made.bytes_sent.sum())
    kept = store.columns()
    assert store.requests == 5000
    assert sum(int(part.bytes_sent.sum()) for part in kept) == expected
    assert len(store) <= 20 + 3 * 3
    assert store.names_folded > 0
    for part in kept:
        store.drop(part)
    assert (len(store), store.requests) == (0, 0)


def test_counters_added_up_are_the_counts_of_the_events() -> None:
    store = CounterStore()
    made = columns(4000, span_ms=2_000_000)
    for start in range(0, 4000, 700):
        store.add(totals(pack(made.slice(start, start + 700))))
    again = CounterStore()
    for part in store.columns():
        again.add(part)
    assert again._counts == store._counts == counted(made)
