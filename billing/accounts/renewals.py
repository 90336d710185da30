"""Plans that renew: each next period is a plan of its own, sold when the one before it has ended.

The period's id is the plan's and its number, so that two runs, or one that is run again after a
crash, sell it once. The record is that of a load, since it stores the same facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import sql
from billing.accounts.columns import PLAN_SCHEMA
from billing.accounts.plan_terms import after
from billing.accounts.records import PlanBought
from billing.instants import naive
from billing.store.given import table_of
from billing.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewing(PlanBought):
    """A plan that renews, with how many of its periods were sold."""

    timezone: str
    closed_at: datetime | None
    periods: int


def renew(store: Store, *, at: datetime) -> int:
    """Sell the periods that have begun by `at`; how many."""
    result = store.connection.execute(
        sql.text("statements/accounts/load/plans_to_renew"), {"now": naive(at)}
    )
    new = list(next_periods(sql.rows(result, Renewing), at=naive(at)))
    if new:
        store.commit("load", {"plans": table_of(new, PLAN_SCHEMA)}, at=at)
    return len(new)


def next_periods(plans: Iterable[Renewing], *, at: datetime) -> Iterator[PlanBought]:
    """The periods of these plans that have begun by `at` and were not sold; none of an account that
    has closed by then.
    """
    for plan in plans:
        assert plan.lasts is not None, "what renews lasts a time"
        number = plan.periods
        while True:
            starts = after(plan.starts_at, plan.lasts, plan.timezone, times=number)
            if starts > at or (plan.closed_at is not None and starts >= plan.closed_at):
                break
            number += 1
            yield PlanBought(
                plan_id=f"{plan.plan_id}#{number}",
                account_id=plan.account_id,
                kind=plan.kind,
                region=plan.region,
                quantity=plan.quantity,
                starts_at=starts,
                ends_at=after(plan.starts_at, plan.lasts, plan.timezone, times=number),
                bought_at=starts,
                price=plan.price,
                lasts=plan.lasts,
            )
