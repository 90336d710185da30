"""When to try again: ten attempts over about 75 hours, with jitter; then the endpoint is given up.

The steps are those Standard Webhooks recommends. Jitter keeps a thousand endpoints that failed
together from coming back together; it is an argument, so that a test knows it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

# Together 75 h 35 min. An attempt counts when it is made: a host that slept for a week gives a
# receiver as many attempts as one that did not.
STEPS_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER_PERMILLE = 100
"""A step is lengthened or shortened by up to a tenth."""


def next_attempt(*, attempts: int, now: datetime, jitter_permille: int) -> datetime | None:
    """When to try after `attempts` failures, the last one now; None: give up.

    `jitter_permille`: drawn by the caller from -100 … 100.
    """
    assert attempts >= 1, "the first attempt is not a retry"
    assert abs(jitter_permille) <= JITTER_PERMILLE, "jitter is at most a tenth"
    if attempts > len(STEPS_SECONDS):
        return None
    step = STEPS_SECONDS[attempts - 1]
    return now + timedelta(seconds=step + step * jitter_permille // 1000)
