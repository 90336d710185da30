"""How long a fuzz test goes on: thirty examples, or again and again for EDGETOLL_FUZZ_SECONDS.

With EDGETOLL_THOROUGH=1 a round tries two hundred, with the hypothesis profile `fuzz` a thousand.
What fails is printed with the line that repeats it (`@reproduce_failure`).
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from typing import ParamSpec

from hypothesis import settings

Arguments = ParamSpec("Arguments")

SECONDS = float(os.environ.get("EDGETOLL_FUZZ_SECONDS") or 0)
"""For how long each fuzz test is repeated; 0: one round."""

settings.register_profile("fuzz", settings.get_profile("default"), max_examples=1_000)


IN_MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
"""Where files of an example lie: what is tried here is not the disk."""


def for_as_long_as_told(test: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """`test`, a property of hypothesis, in rounds until the time is over; every round is new."""

    @functools.wraps(test)
    def rounds(*args: Arguments.args, **named: Arguments.kwargs) -> None:
        until = time.monotonic() + SECONDS
        test(*args, **named)
        while time.monotonic() < until:
            test(*args, **named)

    return rounds


def repeated(
    profile: settings,
) -> Callable[[Callable[Arguments, None]], Callable[Arguments, None]]:
    """A decorator that gives a property this profile, and repeats it for as long as told."""

    def decorate(test: Callable[Arguments, None]) -> Callable[Arguments, None]:
        return for_as_long_as_told(profile(test))

    return decorate
