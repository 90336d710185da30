"""A real writer process, killed, stopped and out of room at random moments (FAULTS A1, A4, A10)."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from edge.batch.codec import decode_events, decode_header
from edge.batch.records import SourcePosition
from edge.spool.segment import read_frames
from edge.spool.spool import SpoolFull, SpoolOptions
from tests.edge.samples import NOON_MS, THOROUGH, columns, open_spool, spooled

OPTIONS = SpoolOptions(segment_bytes=20_000, reserve_bytes=0)
FORK = multiprocessing.get_context("fork")


def write_on(folder: Path, seed: int, told: Connection) -> None:
    """The child: append the numbers from where the spool says, in groups of any size; tell each."""
    chance = random.Random(seed)
    with open_spool(folder, seed=seed, options=OPTIONS) as spool:
        position = spool.positions().get("log")
        read = 0 if position is None else position.offset
        while True:
            for _ in range(chance.randint(1, 3)):
                count = chance.randint(1, 50)
                numbers = columns(count).bytes_sent
                numbers[:] = range(read, read + count)
                read += count
                events = columns(count, bytes_sent=numbers)
                spool.write(events, NOON_MS, (SourcePosition(source="log", offset=read),))
            spool.commit()
            told.send(read)


def started(folder: Path, seed: int) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    """A writer of its own process, and what it tells."""
    heard, told = FORK.Pipe(duplex=False)
    child = FORK.Process(target=write_on, args=(folder, seed, told), daemon=True)
    child.start()
    told.close()
    return child, heard


def last_told(heard: Connection) -> int:
    """The last number the writer said was durable."""
    told = 0
    try:
        while heard.poll():
            told = heard.recv()
    except EOFError:
        pass
    return told


def numbers(folder: Path) -> list[int]:
    """Every number a reader finds, sorted."""
    found: list[int] = []
    for frame in read_frames(folder, max_bytes=1 << 40):
        header = decode_header(frame.payload)
        found += decode_events(header, frame.payload).bytes_sent.tolist()
    return sorted(found)


def test_a1_kills_lose_nothing_told_and_count_nothing_twice(
    tmp_path: Path,
) -> None:
    """The oracle is a list of numbers: at the end each is there once, up to the last at least."""
    chance = random.Random(1)
    durable = 0
    for kill in range(60 if THOROUGH else 15):
        child, heard = started(tmp_path, kill)
        assert heard.poll(60), "the writer came up"
        child.join(chance.uniform(0, 0.03))
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        durable = max(durable, last_told(heard))
        assert child.exitcode == -signal.SIGKILL
    with open_spool(tmp_path, options=OPTIONS) as spool:
        read = spool.positions()["log"].offset
    assert read >= durable > 0
    assert numbers(tmp_path) == [*range(read)]
    batches = spooled(tmp_path)
    assert len({epoch for epoch, _, _ in batches}) == 1
    assert [sequence for _, sequence, _ in batches] == [*range(len(batches))]


def test_a10_a_frozen_writer_goes_on_with_the_same_identities(tmp_path: Path) -> None:
    child, heard = started(tmp_path, 1)
    assert heard.poll(60)
    assert child.pid is not None
    for _ in range(5):
        os.kill(child.pid, signal.SIGSTOP)
        os.waitpid(child.pid, os.WUNTRACED)
        before = [(f.position, f.payload) for f in read_frames(tmp_path, max_bytes=1 << 40)]
        again = [(f.position, f.payload) for f in read_frames(tmp_path, max_bytes=1 << 40)]
        assert before == again
        last_told(heard)
        os.kill(child.pid, signal.SIGCONT)
        assert heard.poll(60), "it goes on"
        after = [(f.position, f.payload) for f in read_frames(tmp_path, max_bytes=1 << 40)]
        assert after[: len(before)] == before
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    found = numbers(tmp_path)
    assert found == [*range(len(found))]


def fill(folder: Path, told: Connection) -> None:
    """The child: append until the kernel refuses, make room, go on; tell what was appended."""
    options = SpoolOptions(segment_bytes=1 << 30, reserve_bytes=0)
    with open_spool(folder, options=options) as spool:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        appended, refused = 0, 0
        while refused < 3:
            try:
                spool.append(columns(200, seed=appended), NOON_MS)
                appended += 1
            except SpoolFull:
                refused += 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        spool.append(columns(200), NOON_MS)
        told.send(appended + 1)


def test_a4_a_limit_of_the_real_kernel_refuses_whole_batches(tmp_path: Path) -> None:
    heard, told = FORK.Pipe(duplex=False)
    child = FORK.Process(target=fill, args=(tmp_path, told))
    child.start()
    assert heard.poll(60)
    appended = heard.recv()
    child.join()
    assert child.exitcode == 0
    assert [sequence for _, sequence, _ in spooled(tmp_path)] == [*range(appended)]
    assert appended > 10


def test_a_restart_reads_no_more_than_the_last_segment(tmp_path: Path) -> None:
    """So it stays below the 2 s of DESIGN 8 whatever the backlog: older ones are emptied here."""
    options = SpoolOptions(segment_bytes=50_000, reserve_bytes=0)
    with open_spool(tmp_path, options=options) as spool:
        for seed in range(40):
            spool.append(columns(2000, seed=seed), NOON_MS)
    for path in sorted(tmp_path.glob("*.seg"))[:-1]:
        path.write_bytes(b"")
    with open_spool(tmp_path, options=options) as spool:
        assert spool.append(columns(1), NOON_MS)[1] == 40
