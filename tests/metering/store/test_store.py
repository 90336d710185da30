"""The store's transactions: errors, full disks, other processes (FAULTS C9 to C15)."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import pytest

from edge.durable import FileLock
from edge.errors import Busy, Corrupt
from metering.sources.spool import SpoolSource
from metering.store.faults import LastingFault, Unavailable, Uncertain, not_opened
from metering.store.store import UsageStore
from tests.effort import PATIENCE_S
from tests.metering.world import HOUR, T0, Edge, Event, Interruption, World

ROOT = Path(__file__).resolve().parents[3]


def hash_of(number: int) -> str:
    """A name that does not compress."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:50]


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond `size`: a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_c9_a_swallowed_statement_error_does_not_end_in_a_silent_commit(tmp_path: Path) -> None:
    with UsageStore(tmp_path / "usage.duckdb", threads=1) as store:
        store.load("spool")

        def swallow() -> None:
            with store.transaction() as transaction:
                take = "statements/metering/partition/take_partition"
                transaction.run(take, partition="spool", generation=5)
                with suppress(duckdb.Error):
                    transaction.run(take, partition="spool", generation="no number")

        with pytest.raises(Corrupt, match="error was swallowed"):
            swallow()
        assert store.load("spool").generation == 0


def test_c9_a_statement_that_fails_leaves_the_position_where_it_was(tmp_path: Path) -> None:
    world = World(tmp_path)
    edge = Edge()
    worker = world.worker()
    world.source.units = [edge.batch(Event())]
    worker.step(0)
    worker.messages = Interruption(lambda sql: sql.execute("SELECT no_such_column"))
    with pytest.raises(duckdb.Error):
        worker.flush()
    assert worker.store.load("spool").positions == {}
    worker.stop()
    world.drain()
    assert world.status()["accepted"] == 1


LASTING = {
    "catalog": "SELECT * FROM no_such_table",
    "binder": "SELECT no_such_column FROM partitions",
    "parser": "SELEC 1",
    "conversion": "SELECT 'no number'::BIGINT",
    "constraint": "INSERT INTO json_ids BY NAME (SELECT 'p' AS partition)",
    "out of range": "SELECT 9223372036854775807::BIGINT + 1::BIGINT",
}


@pytest.mark.parametrize("name", LASTING)
def test_an_sql_error_that_would_come_again_ends_the_worker_with_one_line(
    name: str, tmp_path: Path
) -> None:
    world = World(tmp_path, flush_seconds=0.001)
    worker = world.worker()
    world.source.units = [Edge().batch(Event())]
    worker.step(0)
    statement = LASTING[name]
    worker.messages = Interruption(lambda sql: sql.execute(statement).fetchall())
    pauses: list[float] = []
    world.now += 10
    with pytest.raises(LastingFault) as ended:
        worker.run(lambda: len(pauses) > 3, pauses.append)
    worker.stop()
    assert (pauses, ended.value.exit_code) == ([], 70)
    assert "\n" not in str(ended.value)
    world.drain()
    assert world.status()["accepted"] == 1


@pytest.mark.parametrize(
    "error",
    [
        duckdb.IOException("IO Error: No space left on device"),
        duckdb.OutOfMemoryException("Out of Memory Error: failed to pin block"),
        duckdb.TransactionException("TransactionContext Error: Conflict on update"),
        duckdb.InterruptException("INTERRUPT Error: Interrupted!"),
        duckdb.FatalException("FATAL Error: invalidated. Original error: IO Error: disk full"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EMFILE, "Too many open files"),
    ],
    ids=lambda error: type(error).__name__ + str(getattr(error, "errno", "")),
)
def test_an_error_that_can_pass_pauses_the_worker_and_does_not_end_it(
    error: Exception, tmp_path: Path
) -> None:
    world = World(tmp_path, flush_seconds=0.001)
    worker = world.worker()
    world.source.units = [Edge().batch(Event())]
    worker.step(0)

    failures = [error]

    def fails(_connection: duckdb.DuckDBPyConnection) -> None:
        if failures:
            raise failures.pop()

    worker.messages = Interruption(fails)
    pauses: list[float] = []
    turns = iter([False] * 5 + [True])
    world.now += 10
    worker.run(lambda: next(turns), pauses.append)
    worker.stop()
    assert pauses == [1.0]
    assert world.status()["accepted"] == 1


class Saboteur:
    """A connection whose COMMIT raises, before or after it took effect."""

    def __init__(self, real: duckdb.DuckDBPyConnection, *, durable: bool) -> None:
        self.real = real
        self.durable = durable

    def execute(self, text: str, *rest: object) -> object:
        """As the real one, but for COMMIT."""
        if text == "COMMIT":
            self.real.execute("COMMIT" if self.durable else "ROLLBACK")
            raise duckdb.FatalException("FATAL: IO Error: disk full in checkpoint")
        return self.real.execute(text, *rest)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


@pytest.mark.parametrize("durable", [True, False], ids=["durable", "rolled_back"])
def test_c10_when_commit_raises_the_store_is_read_and_nothing_is_counted_twice(
    durable: bool, tmp_path: Path
) -> None:
    world = World(tmp_path, flush_seconds=0.001)
    edge = Edge()
    worker = world.worker()
    world.source.units = [edge.batch(Event()), edge.heartbeat(T0 + HOUR), edge.batch(Event())]
    real = worker.store._connection
    assert real is not None
    worker.store._connection = Saboteur(real, durable=durable)  # type: ignore[assignment]
    pauses: list[float] = []
    turns = iter([False] * 5 + [True])
    world.now += 10
    worker.run(lambda: next(turns), pauses.append)
    worker.stop()
    assert pauses == [1.0]
    assert world.status()["accepted"] == 2
    assert world.status()["duplicate"] == 0
    assert sum(world.closed().values()) == 2


def test_c11_a_full_disk_pauses_the_worker_which_resumes_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path, flush_seconds=0.001)
    edge = Edge()
    worker = world.worker()
    names = [Event(domain=f"host-{number}.example.com") for number in range(4000)]
    world.source.units = [edge.batch(*names), edge.heartbeat(T0 + HOUR)]
    limit = max(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    world.now += 10
    seen: list[int] = []
    with files_no_longer_than(limit):

        def pause(_seconds: float) -> None:
            seen.append(len(seen))
            world.now += 2000
            if len(seen) == 2:
                _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

        turns = iter([False] * 6 + [True])
        worker.run(lambda: next(turns), pause)
    worker.stop()
    assert seen == [0, 1]
    assert (world.status()["accepted"], world.status()["duplicate"]) == (4000, 0)
    assert sum(world.closed().values()) == 4000
    assert world.broken() == []


def test_c11_a_drain_on_a_full_disk_fails_and_a_later_one_counts_everything(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    edge = Edge()
    names = [Event(domain=f"host-{number}.example.com") for number in range(4000)]
    world.drain()
    with (
        # Less than the 500 KB that these names take in the WAL: it is COMMIT that fails.
        files_no_longer_than(100_000),
        pytest.raises((duckdb.Error, OSError, Uncertain, Unavailable)),
    ):
        world.drain(edge.batch(*names), edge.heartbeat(T0 + HOUR))
    assert sum(world.closed().values()) == 0
    world.drain()
    assert sum(world.closed().values()) == 4000
    assert world.broken() == []


def test_c11_a_disk_with_room_for_the_wal_only_is_no_error_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    edge = Edge()
    names = [Event(domain=f"host-{number}.example.com") for number in range(4000)]
    world.drain()
    store = tmp_path / "usage.duckdb"
    with files_no_longer_than(store.stat().st_size):
        world.drain(edge.batch(*names), edge.heartbeat(T0 + HOUR))
    assert store.with_name("usage.duckdb.wal").stat().st_size > 100_000
    world.drain()
    assert (world.status()["accepted"], world.status()["duplicate"]) == (4000, 0)
    assert sum(world.closed().values()) == 4000
    assert world.broken() == []


def test_c12_a_disk_full_in_a_checkpoint_is_paused_for_and_nothing_counts_twice(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, flush_seconds=0.001)
    edge = Edge()
    names = [Event(domain=f"{hash_of(n)}.example.com") for n in range(12_000)]
    world.drain(edge.batch(*names[:8000]))
    worker = world.worker()
    worker.store.connection.execute("SET checkpoint_threshold = '100KB'")
    world.source.units.append(edge.batch(*names[8000:]))
    world.now += 10
    with files_no_longer_than((tmp_path / "usage.duckdb").stat().st_size):

        def pause(_seconds: float) -> None:
            world.now += 2000
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

        turns = iter([False] * 4 + [True])
        worker.run(lambda: next(turns), pause)
    worker.stop()
    assert "Failed to create checkpoint" in capfd.readouterr().err
    assert (world.status()["accepted"], world.status()["duplicate"]) == (12_000, 0)
    world.drain(edge.heartbeat(T0 + HOUR))
    assert sum(world.closed().values()) == 12_000
    assert world.broken() == []


def test_c12_little_free_space_is_an_alarm_in_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("U", (), {"free": 19, "total": 100}))
    world.drain(Edge().batch(Event()))
    assert world.status()["alarms"] == ["disk: 19 bytes free, less than a fifth"]


def test_a_fork_is_an_alarm_in_the_status(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.drain(Edge().batch(Event(size=1)), Edge().batch(Event(size=2)))
    assert "fork" in world.status()["alarms"][0]


def edgetoll(*arguments: str) -> subprocess.Popen[str]:
    """The real program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "edgetoll.py", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_c14_a_second_worker_exits_at_once_and_names_the_first(tmp_path: Path) -> None:
    (tmp_path / "edgetoll.toml").write_text("[metering]\n")
    with FileLock(tmp_path / "metering.lock", "metering run"):
        second = edgetoll("metering", "run", "--drain", "--home", str(tmp_path))
        _, said = second.communicate(timeout=PATIENCE_S)
    assert second.returncode == 75
    assert f"(process {os.getpid()}:" in said
    assert not (tmp_path / "usage.duckdb").exists()


def test_c14_a_store_open_in_another_process_is_busy_and_nothing_is_deleted(
    tmp_path: Path,
) -> None:
    World(tmp_path).drain(Edge().batch(Event()))
    code = (
        # The connection has a name: one that is not kept is closed at once, and its lock with it.
        "import duckdb, sys; held = duckdb.connect(sys.argv[1]); held.execute('SELECT 1');"
        " print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "usage.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(Busy, match="another process"):
        World(tmp_path).drain()
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    holder.stdin.close()
    assert holder.wait(timeout=PATIENCE_S) == 0


def test_c15_a_store_that_may_not_be_opened_is_not_taken_for_damaged(tmp_path: Path) -> None:
    store = tmp_path / "usage.duckdb"
    error = duckdb.IOException(f'Cannot open file "{store}": Permission denied')
    assert isinstance(not_opened(store, error), Unavailable)


def test_sigterm_ends_the_worker_after_what_is_under_way(tmp_path: Path) -> None:
    (tmp_path / "edgetoll.toml").write_text("[metering]\nflush_seconds = 0.2\n")
    worker = edgetoll("metering", "run", "--home", str(tmp_path), "--json")
    until = time.monotonic() + PATIENCE_S
    while not (tmp_path / "live" / "status.json").exists():
        assert time.monotonic() < until
        assert worker.poll() is None
        threading.Event().wait(0.02)
    worker.send_signal(signal.SIGTERM)
    out, said = worker.communicate(timeout=PATIENCE_S)
    assert (worker.returncode, said) == (0, "")
    assert '"accepted": 0' in out
    assert SpoolSource(tmp_path).partitions() == ("spool",)
