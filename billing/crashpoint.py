"""Named places where a test can end the process as `kill -9` would: EDGETOLL_CRASH=name or name:n.

Without that variable a crash point costs one dictionary look-up and does nothing.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

VARIABLE = "EDGETOLL_CRASH"
_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Kill this process with SIGKILL if EDGETOLL_CRASH names this point (its n-th passing:
    `name:n`).
    """
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    _passed[name] += 1
    point, _, count = wanted.partition(":")
    if point == name and _passed[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
