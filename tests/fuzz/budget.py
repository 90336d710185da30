"""How long a fuzz test goes on: thirty examples, or again and again, each round of another seed.

EDGETOLL_FUZZ_SECONDS is for each test, EDGETOLL_FUZZ_TOTAL for all of them together. The seed of a
run is printed at its end, EDGETOLL_SEED repeats it; what fails is printed with the line that
repeats it alone (`@reproduce_failure`). With EDGETOLL_THOROUGH=1 a round tries two hundred. Each
round must get by with little memory, whatever it was fed.
"""

from __future__ import annotations

import functools
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import hypothesis
from hypothesis import settings

Arguments = ParamSpec("Arguments")

SECONDS = float(os.environ.get("EDGETOLL_FUZZ_SECONDS") or 0)
"""For how long each fuzz test is repeated; 0: one round."""
TOTAL = float(os.environ.get("EDGETOLL_FUZZ_TOTAL") or 0)
"""For how long all of them together are; 0: as long as each is."""
SEED = int(os.environ.get("EDGETOLL_SEED") or random.SystemRandom().randrange(2**32))
"""The seed of the first round; each round after it has the next one."""
MEMORY_MAX = 256 << 20
"""What one test may need beyond what its process held when it began: its inputs are small."""

settings.register_profile("fuzz", settings.get_profile("default"), max_examples=1_000)


IN_MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
"""Where files of an example lie: what is tried here is not the disk."""
LONG = bool(SECONDS or TOTAL)
"""Whether this is a run that somebody has given time."""
if LONG:
    os.environ["EDGETOLL_SEED"] = str(SEED)  # its worker processes have the seed that it prints
_PROC = Path("/proc/self")


class Share:
    """Divides the time of a run among the tests that are still to come."""

    def __init__(self) -> None:
        self.left = 0
        self.until = 0.0

    def begin(self, tests: int) -> None:
        """So many tests will ask."""
        self.left = tests
        self.until = time.monotonic() + TOTAL

    def next(self) -> float:
        """Until when the test that asks may go on."""
        now = time.monotonic()
        if not TOTAL:
            return now + SECONDS
        self.left = max(self.left - 1, 0)
        return now + max(self.until - now, 0) / (self.left + 1)


SHARE = Share()


def for_as_long_as_told(test: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """`test`, a property of hypothesis, in rounds until the time is over; every round is new."""

    @functools.wraps(test)
    def rounds(*args: Arguments.args, **named: Arguments.kwargs) -> None:
        until, number = SHARE.next(), SEED
        while True:
            print(f"seed: EDGETOLL_SEED={number}")
            with_bounded_memory(functools.partial(hypothesis.seed(number)(test), *args, **named))
            number += 1
            if time.monotonic() >= until:
                return

    return rounds


def with_bounded_memory(run: Callable[[], None]) -> None:
    """Run, and see that the most memory held meanwhile is little more than what was held before."""
    try:
        (_PROC / "clear_refs").write_text("5")  # forget the peak until now
    except OSError:  # no such system: bounded memory is asked for where it can be seen
        run()
        return
    before = _status("VmRSS")
    run()
    most = _status("VmHWM") - before
    assert most <= MEMORY_MAX, f"{most >> 20} MiB more than before it began"


def _status(key: str) -> int:
    """A size of this process in bytes."""
    for line in (_PROC / "status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) << 10
    raise LookupError(key)


def repeated(
    profile: settings,
) -> Callable[[Callable[Arguments, None]], Callable[Arguments, None]]:
    """A decorator that gives a property this profile, and repeats it for as long as told."""

    def decorate(test: Callable[Arguments, None]) -> Callable[Arguments, None]:
        return for_as_long_as_told(profile(test))

    return decorate
