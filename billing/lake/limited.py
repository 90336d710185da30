"""A process of its own for a query of a stranger's, which ends when its time or memory is used up.

DuckDB folds constants while it plans, bound by neither its memory limit nor an interrupt. So the
work runs in a child: the kernel bounds its memory, an alarm of the kernel ends it, and the parent
says in one line what happened and removes what it left.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from edge.errors import EdgetollError
from edge.escaping import bare

GRACE_SECONDS = 1
# Above DuckDB's own limit: Python, the rows in flight and what is freed late.
HEADROOM = 256 << 20
MEMORY_GONE = "narrow it, or allow more: --memory 2GB"
TIME_GONE = "narrow it, or allow more: --timeout SECONDS"


def run(
    work: Callable[[], None], *, seconds: int, memory: str, clean: Callable[[int], None]
) -> None:
    """Run `work` in a child, whose error is raised here; `clean(pid)` removes what one that was
    ended has left.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # What the parent left to be collected has threads that are not here: let it be.
        gc.freeze()
        os.close(reading)
        _be_the_child(work, writing)
    os.close(writing)
    try:
        with open(reading, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        _show_cursor()
        clean(child)
        raise
    if os.WIFSIGNALED(status):
        _show_cursor()
        clean(child)
        raise _ended(os.WTERMSIG(status), seconds, memory)
    if said:
        raise pickle.loads(said)


def _show_cursor() -> None:
    """A bar of progress hides the cursor; one that was ended has not shown it again."""
    if sys.stderr.isatty():
        print("\r\x1b[K\x1b[?25h", end="", file=bare(sys.stderr), flush=True)


def _be_the_child(work: Callable[[], None], writing: int) -> NoReturn:
    said = b""
    try:
        work()
        sys.stdout.flush()
    except BaseException as error:
        said = _pickled(error)
    with suppress(OSError):
        sys.stderr.flush()
    with suppress(OSError):
        os.write(writing, said)
    os._exit(0)


def _pickled(error: BaseException) -> bytes:
    """An error for the parent to raise; the words of one that cannot travel."""
    try:
        said = pickle.dumps(error)
        pickle.loads(said)
    except Exception:
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return said


def _ended(by: int, seconds: int, memory: str) -> EdgetollError:
    """What to say of a child that was ended by a signal."""
    if by == signal.SIGALRM:
        return EdgetollError(f"the query took longer than {seconds} s and was stopped", TIME_GONE)
    name = signal.Signals(by).name
    return EdgetollError(
        f"the query needed more than the memory of {memory} and was ended ({name})", MEMORY_GONE
    )


def bound_memory(amount: int) -> None:
    """Let this process take `amount` bytes more than it has now, with some headroom, until
    `free_memory`. No query can lift that: SQL reaches no limit of the kernel.
    """
    limit = _private_bytes() + amount + HEADROOM
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS):
        if kind == resource.RLIMIT_AS and sys.platform == "linux":
            continue  # RLIMIT_DATA bounds what is written to; mapped files are not memory
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, resource.getrlimit(kind)[1]))


def free_memory() -> None:
    """The query is over: what draws its rows reserves gigabytes that it never touches."""
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS):
        most = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most, most))


def _private_bytes() -> int:
    """How much memory of its own this process has mapped, by the kernel's count."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    return 0


def alarm(seconds: int) -> None:
    """Have the kernel end this process in so many seconds; 0: no more."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
