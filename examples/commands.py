"""The demo's commands: each a process of its own, forked from one that has loaded the libraries.

To start Python and load what a command needs costs a quarter of a second of CPU, forty times. What
a command does, says and leaves behind is what it does when a person starts it.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import edgetoll
from edge.errors import EdgetollError

# What most commands need, and no more: what is loaded here is loaded once.
LOADED = ("typer", "duckdb", "jinja2", "pyarrow.dataset", "pyarrow.parquet", "edge.cli",
          "edge.agent.run", "edge.spool.spool", "metering.cli", "metering.worker.worker",
          "billing.cli", "billing.follow_up", "billing.prices.book", "billing.rating.engine",
          "billing.runs.run", "billing.invoices.run", "billing.lake.query")  # fmt: skip
DEFECT = "this is a defect: please report it"


class StartedCommand:
    """A command that was started; `out` and `err` hold what it has said so far."""

    def __init__(self, commands: Commands, process: int, place: Path) -> None:
        self._commands = commands
        self.process = process
        self.out, self.err = place / "out", place / "err"
        self.code: int | None = None

    def terminate(self) -> None:
        """Tell it to leave."""
        os.kill(self.process, signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; EdgetollError if that takes longer than `timeout`."""
        if self.code is None:
            self.code = self._commands.code_of(self.process, timeout)
        return self.code

    def said(self) -> tuple[str, str]:
        """What it wrote to standard output and to standard error, once it has ended."""
        self.wait()
        return self.out.read_text(encoding="utf-8"), self.err.read_text(encoding="utf-8")


class Commands:
    """Starts commands. Made before this process has threads: they would not be in its children.
    `ahead`: the libraries are loaded now, not when the first command is asked for.
    """

    def __init__(self, *, ahead: bool = True) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="edgetoll-demo-")
        self._count = 0
        self._server, theirs = Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.process = os.fork()
        if self.process == 0:
            self._server.close()
            with suppress(EOFError, KeyboardInterrupt):
                _serve(theirs, ahead=ahead)
            os._exit(0)
        theirs.close()
        atexit.register(self.close)

    def start(self, words: Sequence[str], environment: Mapping[str, str]) -> StartedCommand:
        """Start `edgetoll WORDS…`."""
        self._count += 1
        place = Path(self._place.name) / str(self._count)
        place.mkdir()
        self._server.send((tuple(words), dict(environment), str(place)))
        return StartedCommand(self, self._server.recv(), place)

    def code_of(self, process: int, timeout: float | None) -> int:
        """Wait for the process of a command; its exit code."""
        self._server.send(process)
        if not self._server.poll(timeout):
            raise EdgetollError(f"process {process} has not ended in {timeout} s", DEFECT)
        code: int = self._server.recv()
        return code

    def close(self) -> None:
        """End the process that starts them."""
        if not self._server.closed:
            self._server.close()
            os.waitpid(self.process, 0)
            self._place.cleanup()


def _serve(asked: Connection, *, ahead: bool) -> None:
    """Fork a process for each command, and wait for those that are asked for."""
    if not ahead:
        asked.poll(None)
    for module in LOADED:
        import_module(module)
    gc.freeze()
    while True:
        request = asked.recv()
        if isinstance(request, int):
            _process, status = os.waitpid(request, 0)
            asked.send(os.waitstatus_to_exitcode(status))
            continue
        process = os.fork()
        if process == 0:
            asked.close()
            _be(*request)
        asked.send(process)


def _be(words: Sequence[str], environment: Mapping[str, str], place: str) -> None:
    """Be that command, from its first word to its exit code."""
    os.environ.update(environment)
    for number, name in ((0, os.devnull), (1, f"{place}/out"), (2, f"{place}/err")):
        file = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 (until the process ends)
    sys.stdout, sys.stderr = (open(n, "w", encoding="utf-8") for n in (1, 2))  # noqa: SIM115
    code = 1
    try:
        code = edgetoll.main(words)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
