"""Named points at which a test can kill the process, as a power cut would (FAULTS C1 to C8)."""

from __future__ import annotations

import os
import signal

VARIABLE = "EDGETOLL_CRASH"
_passed: dict[str, int] = {}


def crash_point(name: str) -> None:
    """Kill this process if EDGETOLL_CRASH is `name`, or at the Nth pass if it is `name:N`."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    point, _, count = wanted.partition(":")
    if point != name:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] >= int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
