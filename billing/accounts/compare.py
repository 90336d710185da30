"""What of a load is new: each row is stored already with the same content, new, or a conflict.

Pure decisions over what the chapter accounts/load found stored; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime

from billing.accounts.records import (
    AccountFact,
    AccountVersion,
    MethodChange,
    Ownership,
    PlanBought,
)
from billing.accounts.staging import Placed
from billing.instants import naive
from edge.errors import ConflictError, InputError


def new_accounts(
    rows: Placed[AccountVersion],
    stored: Iterable[AccountVersion],
    *,
    charged: Collection[str],
    at: datetime,
) -> list[AccountVersion]:
    """The versions that are new. `charged`: the accounts that were ever charged."""
    known: dict[str, dict[datetime, AccountVersion]] = {}
    for one in stored:
        known.setdefault(one.account_id, {})[one.effective_from] = one
    new = []
    for place, row in rows:
        versions = known.setdefault(row.account_id, {})
        same = versions.get(row.effective_from)
        if same is not None:
            _refuse_conflict(place, "account", row.account_id, differing(row, same))
            continue
        for other in versions.values():
            difference = differing(row, other, ("currency", "opened_at"))
            _refuse_conflict(place, "account", row.account_id, difference)
            _refuse_other_prices(place, row, other, charged=charged, at=at)
            break
        versions[row.effective_from] = row
        new.append(row)
    return new


def _refuse_other_prices(
    place: str,
    row: AccountVersion,
    stored: AccountVersion,
    *,
    charged: Collection[str],
    at: datetime,
) -> None:
    """A version may not move what was charged, or will be until it begins, to other prices.

    Rating prices a whole month, late usage and replays too, by one book and one time zone.
    """
    name = row.account_id
    if row.billing_method != stored.billing_method:
        raise ConflictError(
            f"{place}: account {name!r} began with billing_method {stored.billing_method}",
            "leave that as it is and ask for another method in [[methods]]",
        )
    difference = differing(row, stored, ("price_book", "timezone"))
    if difference is None:
        return
    if row.effective_from > naive(at) or name in charged:
        raise ConflictError(
            f"{place}: account {name!r} is stored with {difference}; that may only change at once"
            " and while nothing has been charged",
            "give it prices of its own with dates: [[override]] in its price book",
        )


def limit_deltas(
    before: Mapping[str, tuple[datetime, int]], new: Iterable[AccountVersion], at: datetime
) -> dict[str, int]:
    """By how much the credit limits of known accounts grow at once (negative: shrink).

    `before`: the limit in force of each known account, and since when.
    """
    since = dict(before)
    for row in new:
        name, begun = row.account_id, row.effective_from
        if name in since and since[name][0] <= begun <= naive(at):
            since[name] = (begun, row.credit_limit)
    deltas = {name: limit - before[name][1] for name, (_begun, limit) in since.items()}
    return {name: delta for name, delta in deltas.items() if delta}


def new_domains(
    rows: Placed[Ownership], stored: Iterable[Ownership]
) -> tuple[list[Ownership], list[Ownership]]:
    """The periods that are new, and those that a row with the same id ends."""
    known = {one.ownership_id: one for one in stored}
    new, ended = [], []
    for place, row in rows:
        if row.effective_to is not None and row.effective_to <= row.effective_from:
            raise InputError(f"{place}: {row.domain} ends before it begins", "correct the row")
        before = known.get(row.ownership_id)
        if before is None:
            new.append(row)
        else:
            difference = differing(replace(row, effective_to=before.effective_to), before)
            if difference is None and row.effective_to is not None:
                if before.effective_to is None:
                    ended.append(row)
                else:
                    difference = differing(row, before)
            _refuse_conflict(place, "ownership", row.ownership_id, difference)
        known[row.ownership_id] = row if before is None or row.effective_to else before
    return new, ended


def new_plans(rows: Placed[PlanBought], stored: Iterable[PlanBought]) -> list[PlanBought]:
    """The plans that are new."""
    known = {one.plan_id: one for one in stored}
    new = []
    for place, row in rows:
        if row.ends_at <= row.starts_at:
            raise InputError(f"{place}: plan {row.plan_id} ends before it starts", "correct it")
        before = known.setdefault(row.plan_id, row)
        if before is row:
            new.append(row)
        else:
            _refuse_conflict(place, "plan", row.plan_id, differing(row, before))
    return new


def new_methods(rows: Placed[MethodChange], stored: Iterable[MethodChange]) -> list[MethodChange]:
    """The changes of method that are new."""
    known = {(one.account_id, one.effective_from): one for one in stored}
    new = []
    for place, row in rows:
        before = known.setdefault((row.account_id, row.effective_from), row)
        if before is row:
            new.append(row)
        else:
            difference = differing(row, before)
            _refuse_conflict(place, "method change of", row.account_id, difference)
    return new


def differing(
    row: AccountFact, stored: AccountFact, names: Iterable[str] | None = None
) -> str | None:
    """The first field (of `names`) in which two rows differ, in words; None: they are the same."""
    for name in names or [field.name for field in fields(row)]:
        mine, other = getattr(row, name), getattr(stored, name)
        if mine != other:
            return f"{name} {other} and not {mine}"
    return None


def _refuse_conflict(place: str, noun: str, name: str, difference: str | None) -> None:
    if difference is not None:
        raise ConflictError(
            f"{place}: {noun} {name!r} is stored with {difference}",
            "to change an account give `effective_from`; to change a domain or plan give a new id",
        )
