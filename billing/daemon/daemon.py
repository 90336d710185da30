"""`edgetoll billing daemon`: rates, judges, invoices, tells and checks, whenever something is due.

The scheduler only wakes the loop; each round asks the database what is due and does all of it, so
that a missed, doubled or killed round does no harm and a host that slept catches up by itself.
Cron lines with `billing rate`, `billing alerts` and `billing invoice` do the same work.
"""

from __future__ import annotations

import heapq
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import Busy, EdgetollError, InputError
from edge.terminal import DEFAULT_HOME, HomeOption, spoken_by
from edge.terminal import now as wall_clock
from edge.trouble import remedy
from metering.closed import closed_mark

if TYPE_CHECKING:
    from billing.daemon.metrics import Board
    from billing.daemon.rounds import Step, Turn

RETRY_FAILED = timedelta(minutes=1)
LOOK_SECONDS = timedelta(milliseconds=200).total_seconds()
"""What failed is tried again after this, without waiting for a change: it may be mended."""
Clock = Callable[[], datetime]
Mark = tuple[object, ...]
HOURS_WATCHED = 200


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

    from billing.daemon.metrics import Board

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
    from billing.daemon.log import log
    from edge.durable import FileLock

    if not home.is_dir():
        raise InputError(f"there is no home {home}", f"make one first: edgetoll init {home}")
    try:
        lock = FileLock(home / "daemon.lock", "billing daemon").__enter__()
    except Busy as error:
        raise Busy(
            error.message,
            "one daemon serves a home and does all of its work; to start another, end that one",
        ) from error
    try:
        with spoken_by(lambda kind, text: log(kind, text=text)):
            yield
    finally:
        lock.__exit__(None, None, None)


def loop(home: Path, stop: threading.Event, *, clock: Clock = wall_clock) -> None:
    """Rounds until `stop` is set; serves metrics meanwhile. `edgetoll run` hosts this in a thread.

    Raises Busy when another daemon works on this home, ConfigError for wrong settings. A step that
    fails is logged, counted and tried again in the next round; it never ends the loop.
    """
    from apscheduler.schedulers.background import BackgroundScheduler

    from billing.daemon.log import log
    from billing.daemon.metrics import Board
    from billing.daemon.serving import serving
    from billing.outbox.settings import check_secrets
    from billing.settings import read_daemon

    settings = read_daemon(home)
    wake = threading.Event()
    check_secrets(home)
    board = Board(stop=stop, begun_at=clock())
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
        from billing.runs.import_hours import SeenFolders

        self.home = home
        self.board = board
        self.clock = clock
        self._watch = HomeWatch(home)
        self._seen_folders = SeenFolders()
        self._mark: Mark = ()
        self._next_at: datetime | None = None
        self._ran_at = datetime.min.replace(tzinfo=UTC)

    def is_due(self) -> bool:
        """Whether anything can be due: a file or the journal changed, or a time has come."""
        now = self.clock()
        if self._next_at is None or now >= self._next_at:
            return True
        if now < self._ran_at:
            return True  # the clock was set back: what it said last is no guide
        return self._mark != self._watch.mark()

    def run(self) -> None:
        """One round: every step that is due, in order; a failing step does not stop the others."""
        from billing.daemon import rounds

        mark = self._watch.mark()
        turn = rounds.Turn(
            home=self.home, board=self.board, seen=self._seen_folders, now=self.clock()
        )
        try:
            for name, step in rounds.STEPS.items():
                if self.board.stop.is_set():
                    return
                # Each step has its own moment: after a long one, signatures would be too old.
                turn.now = self.clock()
                self._step(name, step, turn)
        finally:
            turn.leave()
        now = self.clock()
        self._ran_at = now
        with self.board.lock:
            self.board.round_at = now
        self._next_at = rounds.next_round_at(self.home, self.board.signs, now=now)
        if self.board.failing:
            self._next_at = min(self._next_at, now + RETRY_FAILED)
        # What changed during the round, by us or others, is looked at once more; a round that finds
        # nothing changes nothing, so this ends.
        self._mark = mark

    def _step(self, name: str, step: Step, turn: Turn) -> None:
        from billing.daemon.log import log

        begun = monotonic()
        failure = ""
        try:
            step(turn)
        except Busy as error:
            log("busy", step=name, reason=error.message)
        except EdgetollError as error:
            failure = str(error)
            log("failed", step=name, reason=error.message, hint=error.hint)
            turn.leave(error)
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            if hint := remedy(str(error)):  # the machine is in the way, not the program
                log("failed", step=name, reason=failure, hint=hint)
            else:
                log("failed", step=name, reason=failure, trace=True)
            turn.leave(error)
        with self.board.lock:
            spent = int((monotonic() - begun) * 1000)
            self.board.seconds[name] = self.board.seconds.get(name, 0) + spent
            if failure:
                self.board.failing[name] = failure
                self.board.failures[name] = self.board.failures.get(name, 0) + 1
            else:
                self.board.failing.pop(name, None)


class HomeWatch:
    """What changes when there may be something to do: closed hours, the journal.

    Asked every few seconds, so it must not grow with the home: metering's own mark, and the times
    of the newest hours' folders, since certificates get their names after the mark has changed.
    What these miss, a revision of an old hour just then, the next judgement finds.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._journal = home / "journal" / "journal.jsonl"
        self._listed_at: int | None = None
        self._newest: list[Path] = []

    def mark(self) -> Mark:
        """Equal marks: nothing has happened since."""
        closed = closed_mark(self._home)
        if closed.folder_ns != self._listed_at:
            folder = self._home / "closed"
            names = os.listdir(folder) if folder.is_dir() else []
            newest = heapq.nlargest(HOURS_WATCHED, (n for n in names if n.startswith("hour=")))
            self._newest = [folder.joinpath(name) for name in newest]
            self._listed_at = closed.folder_ns
        journal = self._journal.stat().st_size if self._journal.exists() else 0
        return (closed, journal, *(path.stat().st_mtime_ns for path in self._newest))
