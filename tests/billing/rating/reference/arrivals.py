"""How usage reaches billing in generated worlds: in several runs, some of it late, some after
issue.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from tests import reference
from tests.billing.rating.reference.generated import FIRST, LAST, Case
from tests.billing.rating.world import World
from tests.reference import Account, Usage

HOUR = timedelta(hours=1)


def ends(dice: random.Random, runs: int) -> list[datetime]:
    """The ends of `runs` rating runs, the last one at LAST."""
    hours = (LAST - FIRST) // HOUR
    inner = sorted(dice.sample(range(1, hours), runs - 1))
    return [FIRST + HOUR * hour for hour in inner] + [LAST]


def feed(world: World, case: Case, dice: random.Random, runs: int, issues: bool = False) -> None:
    """Import and rate `case` in `runs` runs; some usage comes runs later than it happened.

    With `issues`, finished months of some accounts are issued in between, and what comes after is
    given its place.
    """
    waiting = [
        (account, row) for account in case.accounts for row in case.usage[account.account_id]
    ]
    waiting.sort(key=lambda pair: pair[1].bucket)
    throughs = ends(dice, runs)
    first = waiting[0][1].bucket.replace(minute=0) if waiting else FIRST
    throughs = [end for end in throughs if end > first]
    due = {id(row): _run_of(row, throughs, dice, place == 0)
           for place, (_, row) in enumerate(waiting)}  # fmt: skip
    issued: set[tuple[str, object]] = set()
    for number, through in enumerate(throughs):
        batch = [(account, row) for account, row in waiting if due[id(row)] == number]
        for account, row in batch:
            if (account.account_id, month_of(account, row.bucket)) in issued:
                row.placed = through
        world.use((account.account_id, row) for account, row in batch)
        world.rate(through)
        assert all("priced exactly" in problem for problem in world.held.values())
        if issues:
            issued |= _issue(world, case, dice, through)


def month_of(account: Account, moment: datetime) -> object:
    """The account's local month of a moment."""
    return reference.Rating(account, [], {}, LAST).month(moment)


def _run_of(row: Usage, throughs: list[datetime], dice: random.Random, first: bool) -> int:
    earliest = next(n for n, end in enumerate(throughs) if row.bucket.replace(minute=0) < end)
    late = 0 if first or dice.random() < 0.7 else dice.randrange(4)
    return 0 if first else min(earliest + late, len(throughs) - 1)


def _issue(
    world: World, case: Case, dice: random.Random, through: datetime
) -> set[tuple[str, object]]:
    done = set()
    for account in case.accounts:
        rating = reference.Rating(account, [], {}, LAST)
        for month in (datetime(2026, 2, 1).date(), datetime(2026, 3, 1).date()):  # noqa: DTZ001
            name = f"{month:%Y-%m}"
            known = world.connection.execute(
                "SELECT count(*) FROM issued_months WHERE account_id = ? AND month = ?",
                [account.account_id, name],
            ).fetchall()[0][0]
            if not known and rating.month_end(month) <= through and dice.random() < 0.7:
                world.issue(account.account_id, name)
                done.add((account.account_id, month))
    return done
