"""`edgetoll billing daemon`: rates, judges, invoices, tells and checks, whenever something is due.

The scheduler only wakes the loop; each round asks the database what is due and does all of it, so
that a missed, doubled or killed round does no harm and a host that slept catches up by itself.
Cron lines with `billing rate`, `billing alerts` and `billing invoice` do the same work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from billing.daemon.metrics import Board
from edge.errors import Busy, EdgetollError
from edge.terminal import DEFAULT_HOME, HomeOption
from edge.terminal import now as wall_clock

RETRY_FAILED = timedelta(minutes=1)
LOOK_SECONDS = timedelta(milliseconds=200).total_seconds()
"""What failed is tried again after this, without waiting for a change: it may be mended."""
Clock = Callable[[], datetime]
Step = Callable[[Path, datetime, Board], None]


def daemon(
    once: Annotated[
        bool, typer.Option("--once", help="One round, then leave: for cron or a test.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Do everything that is due, again and again, until SIGTERM. One per home; logs are JSON lines.

    Example: edgetoll billing daemon --home /var/lib/edgetoll
    """
    import signal

    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
    if once:
        with locked(home):
            board = Board(stop=stop)
            Rounds(home, board).run()
        if board.failing:
            step, why = sorted(board.failing.items())[0]
            raise EdgetollError(f"{step} failed: {why}", "the log above has the details")
        return
    loop(home, stop)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """The daemon's own lock: a second daemon leaves at once, naming the first (exit 75)."""
    from edge.durable import FileLock

    with FileLock(home / "daemon.lock", "billing daemon"):
        yield


def loop(home: Path, stop: threading.Event, *, clock: Clock = wall_clock) -> None:
    """Rounds until `stop` is set; serves metrics meanwhile. `edgetoll run` hosts this in a thread.

    Raises Busy when another daemon works on this home, ConfigError for wrong settings. A step that
    fails is logged, counted and tried again in the next round; it never ends the loop.
    """
    from apscheduler.schedulers.background import BackgroundScheduler

    from billing.daemon.log import log
    from billing.daemon.metrics import serving
    from billing.daemon.settings import read_daemon
    from billing.outbox.settings import check_secrets

    settings = read_daemon(home)
    wake = threading.Event()
    check_secrets(home)
    board = Board(stop=stop)
    with locked(home):
        # One job, which does no work and cannot be late: it only wakes this thread.
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_job(
            wake.set, "interval", seconds=settings.wake_seconds, coalesce=True, max_instances=1
        )
        scheduler.start()
        try:
            with serving(home, board, listen=settings.listen, clock=clock) as port:
                log("started", home=str(home), metrics_port=port)
                rounds = Rounds(home, board, clock=clock)
                while not stop.is_set():
                    if rounds.is_due():
                        rounds.run()
                    wake.clear()
                    while not stop.is_set() and not wake.wait(timeout=LOOK_SECONDS):
                        pass
        finally:
            scheduler.shutdown(wait=True)
            log("stopped", home=str(home))


class Rounds:
    """The rounds of one daemon: what it saw last, so that an idle home costs nothing."""

    def __init__(self, home: Path, board: Board, *, clock: Clock = wall_clock) -> None:
        self.home = home
        self.board = board
        self.clock = clock
        self._seen: tuple[int, ...] = ()
        self._next_at: datetime | None = None
        self._ran_at = datetime.min.replace(tzinfo=UTC)

    def is_due(self) -> bool:
        """Whether anything can be due: a file or the journal changed, or a time has come."""
        now = self.clock()
        if self._next_at is None or now >= self._next_at:
            return True
        if now < self._ran_at:
            return True  # the clock was set back: what it said last is no guide
        return self._seen != self._mark()

    def run(self) -> None:
        """One round: every step that is due, in order; a failing step does not stop the others."""
        from billing.daemon import rounds

        mark = self._mark()
        for name, step in rounds.STEPS.items():
            if self.board.stop.is_set():
                return
            # Each step has its own moment: after a long one, signatures would be too old at once.
            self._step(name, step, self.clock())
        now = self.clock()
        self._ran_at = now
        with self.board.lock:
            self.board.round_at = self.clock()
        self._next_at = rounds.next_round_at(self.home, self.board.signs, now=now)
        if self.board.failing:
            self._next_at = min(self._next_at, now + RETRY_FAILED)
        # What changed during the round, by us or others, is looked at once more; a round that finds
        # nothing changes nothing, so this ends.
        self._seen = mark

    def _step(self, name: str, step: Step, now: datetime) -> None:
        from billing.daemon.log import log

        begun = monotonic()
        failure = ""
        try:
            step(self.home, now, self.board)
        except Busy as error:
            log("busy", step=name, reason=error.message)
        except EdgetollError as error:
            failure = str(error)
            log("failed", step=name, reason=error.message, hint=error.hint)
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            log("failed", step=name, reason=failure, trace=True)
        with self.board.lock:
            spent = int((monotonic() - begun) * 1000)
            self.board.seconds[name] = self.board.seconds.get(name, 0) + spent
            if failure:
                self.board.failing[name] = failure
                self.board.failures[name] = self.board.failures.get(name, 0) + 1
            else:
                self.board.failing.pop(name, None)

    def _mark(self) -> tuple[int, ...]:
        """What changes when there may be something to do: closed hours, the journal."""
        closed = self.home / "closed"
        hours = [path.stat().st_mtime_ns for path in closed.iterdir()] if closed.is_dir() else []
        journal = self.home / "journal" / "journal.jsonl"
        size = journal.stat().st_size if journal.exists() else 0
        return (max(hours, default=0), len(hours), size)
