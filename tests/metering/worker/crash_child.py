"""Run as a program: drains homes on request, each drain in a forked child that may be killed.

One line on standard input is `HOME NOW_MS CRASH`; the answer is the child's exit code, -9 when it
was killed. CRASH is `-`, a crash point, or a fault of the kernel: `fsync`, `memory=BYTES`.
Everything is imported once, before the first fork, and the parent opens no store, so that a child
costs milliseconds and is as fresh as a process of its own.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from metering.settings import MeteringSettings
from metering.sources.spool import SpoolSource
from metering.worker.worker import Worker
from tests.metering.kernel import fail_every_fsync, no_more_memory_than


def drain(home: Path, now: int, fault: str) -> None:
    """One drain, as `metering run --drain` does it, at a fixed time."""
    settings = MeteringSettings(threads=1, flush_rows=5)
    worker = Worker(home, SpoolSource(home), settings, clock=lambda: now)
    worker.start()
    if fault == "fsync":
        fail_every_fsync()
    elif fault.startswith("memory="):
        no_more_memory_than(int(fault.removeprefix("memory=")))
    worker.drain()
    worker.stop()


def main() -> None:
    """Serve lines until standard input ends."""
    for line in sys.stdin:
        home, now, crash = line.split()
        child = os.fork()
        if child == 0:
            faulty = crash == "fsync" or crash.startswith("memory=")
            os.environ["EDGETOLL_CRASH"] = "" if crash == "-" or faulty else crash
            if faulty:  # Its complaints are what the test wants, and no news for a reader.
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            try:
                drain(Path(home), int(now), crash)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
