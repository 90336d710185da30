"""What of a load is new: each row is stored already with the same content, new, or a conflict.

A row that says `why` puts the stored fact right that its id, or `replaces`, names (DOMAIN §10.16).
Pure decisions over what the chapter accounts/load found stored; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Generic, TypeVar

from billing.accounts.records import (
    AccountDates,
    AccountFact,
    AccountVersion,
    Agreement,
    MethodChange,
    Ownership,
    PlanBought,
    ReplacedFact,
)
from billing.accounts.row_fields import NEVER
from billing.accounts.staging import Fact, Placed
from billing.instants import naive, stamp
from edge.errors import ConflictError, InputError

Dated = TypeVar("Dated", PlanBought, Agreement)
CHANGE_HINT = "to change an account from a time on give `effective_from`"
RIGHT_HINT = (
    "if what is stored is wrong, put it right: the same row with `why`, and with"
    ' `replaces = "ID"` where the id is another'
)


@dataclass(kw_only=True)
class NewAccounts:
    """Versions that are new, and accounts whose opening or closing is another from now on."""

    versions: list[AccountVersion] = field(default_factory=list)
    dates: dict[str, AccountDates] = field(default_factory=dict)


def new_accounts(
    rows: Iterable[Placed[AccountVersion]],
    stored: Iterable[AccountVersion],
    *,
    charged: Collection[str],
    at: datetime,
) -> NewAccounts:
    """What is new of accounts. `charged`: those that were ever charged."""
    known: dict[str, dict[datetime, AccountVersion]] = {}
    for one in stored:
        known.setdefault(one.account_id, {})[one.effective_from] = one
    found = NewAccounts()
    for row in rows:
        versions = known.setdefault(row.fact.account_id, {})
        if not versions:
            closed = None if row.fact.closed_at == NEVER else row.fact.closed_at
            version = replace(row.fact, closed_at=closed)
            _refuse_backwards(row, version)
        else:
            first = versions[min(versions)]
            version = _with_dates(row, first, found)
            for begun, other in versions.items():
                versions[begun] = replace(
                    other, opened_at=version.opened_at, closed_at=version.closed_at
                )
            same = versions.get(version.effective_from)
            if same is not None:
                _refuse_conflict(
                    row, f"account {row.fact.account_id!r}", differing(version, same), CHANGE_HINT
                )
                continue
            difference = differing(version, first, ("currency",))
            _refuse_conflict(
                row, f"account {row.fact.account_id!r}", difference, "open another account for it"
            )
            _refuse_other_prices(row.place, version, first, charged=charged, at=at)
        versions[version.effective_from] = version
        found.versions.append(version)
    return found


def _with_dates(
    row: Placed[AccountVersion], first: AccountVersion, found: NewAccounts
) -> AccountVersion:
    """The row's version with the dates the account has, or has from now on."""
    said = row.fact
    opened = said.opened_at if row.has_opening else first.opened_at
    closed = first.closed_at if said.closed_at is None else said.closed_at
    closed = None if closed == NEVER else closed
    begun = first.effective_from if row.is_first else said.effective_from
    version = replace(said, effective_from=begun, opened_at=opened, closed_at=closed)
    _refuse_backwards(row, version)
    if (opened, closed) != (first.opened_at, first.closed_at):
        is_closing = opened == first.opened_at and first.closed_at is None
        if not row.why and not is_closing:
            difference = differing(version, first, ("opened_at", "closed_at"))
            _refuse_conflict(row, f"account {row.fact.account_id!r}", difference, RIGHT_HINT)
        found.dates[said.account_id] = AccountDates(
            account_id=said.account_id, opened_at=opened, closed_at=closed, why=row.why
        )
    return version


def _refuse_backwards(row: Placed[AccountVersion], version: AccountVersion) -> None:
    if version.closed_at is not None and version.closed_at <= version.opened_at:
        raise InputError(
            f"{row.place}: account {version.account_id!r} closes at"
            f" {stamp(version.closed_at)}, before it opens at {stamp(version.opened_at)}",
            "correct the row; an account opens with its first load unless `opened` says otherwise,"
            " and `why` where it is stored",
        )


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


@dataclass(kw_only=True)
class NewFacts(Generic[Fact]):
    """Facts that are new, ownerships that end otherwise, and stored facts that are replaced."""

    new: list[Fact] = field(default_factory=list)
    ended: list[Fact] = field(default_factory=list)
    replaced: list[ReplacedFact] = field(default_factory=list)


def new_domains(
    rows: Sequence[Placed[Ownership]],
    stored: Iterable[Ownership],
    replaced: Mapping[str, ReplacedFact],
) -> NewFacts[Ownership]:
    """What is new of ownership. `replaced`: what another fact stands in for since before."""
    known = {one.ownership_id: one for one in stored}
    found: NewFacts[Ownership] = NewFacts()
    given_up = {row.replaces for row in rows if row.replaces}
    for row in rows:
        name = row.fact.ownership_id
        end = None if row.fact.effective_to == NEVER else row.fact.effective_to
        fact = replace(row.fact, effective_to=end)
        if end is not None and end <= fact.effective_from:
            raise InputError(
                f"{row.place}: {fact.domain} ends at {stamp(end)}, and begins at"
                f" {stamp(fact.effective_from)}",
                "correct the row; a name that was never this account's is given to its owner by a"
                f' row with `replaces = "{name}"` and `why`',
            )
        if name not in known and _is_given_up(row, name, given_up, replaced):
            continue
        before = known.get(name)
        if before is None:
            _replace(row, "ownership", name, known, found)
            found.new.append(fact)
        else:
            says_end = row.fact.effective_to is not None
            fact = fact if says_end else replace(fact, effective_to=before.effective_to)
            if fact == before:
                continue
            ends_otherwise = replace(fact, effective_to=before.effective_to) == before
            if ends_otherwise and (before.effective_to is None or row.why):
                found.ended.append(fact)
            elif row.why:
                _note_replaced(found, "ownership", name, name, row.why)
                found.new.append(fact)
            else:
                _refuse_conflict(row, f"ownership {name!r}", differing(fact, before), RIGHT_HINT)
        known[name] = fact
    return found


def new_dated(
    kind: str,
    rows: Sequence[Placed[Dated]],
    stored: Iterable[Dated],
    replaced: Mapping[str, ReplacedFact],
) -> NewFacts[Dated]:
    """What is new of plans or of agreements: facts with an id, a start and mostly an end."""
    known = {one.fact_id: one for one in stored}
    found: NewFacts[Dated] = NewFacts()
    given_up = {row.replaces for row in rows if row.replaces}
    for row in rows:
        fact, name = row.fact, row.fact.fact_id
        if fact.ends_at is not None and fact.ends_at <= fact.starts_at:
            raise InputError(f"{row.place}: {kind} {name} ends before it starts", "correct it")
        if name not in known and _is_given_up(row, name, given_up, replaced):
            continue
        before = known.get(name)
        if before is None:
            _replace(row, kind, name, known, found)
        elif fact == before:
            continue
        elif row.why:
            _note_replaced(found, kind, name, name, row.why)
        else:
            _refuse_conflict(row, f"{kind} {name!r}", differing(fact, before), RIGHT_HINT)
        found.new.append(fact)
        known[name] = fact
    return found


def _is_given_up(
    row: Placed[Fact], name: str, given_up: Collection[str], replaced: Mapping[str, ReplacedFact]
) -> bool:
    """Whether a row's fact is one that another of the file stands in for; ConflictError when it
    was put right by an earlier load and comes back.
    """
    if name in given_up and name != row.replaces:
        return name in replaced
    if name in replaced:
        raise ConflictError(
            f"{row.place}: {name!r} was put right by {replaced[name].replaced_by!r}"
            f" ({replaced[name].why}) and cannot come back",
            "take the row out, or give it another id",
        )
    return False


def _replace(
    row: Placed[Fact],
    kind: str,
    name: str,
    known: dict[str, Fact],
    found: NewFacts[Fact],
) -> None:
    """Let a new row stand in for the fact that it names, if it names one."""
    if not row.replaces:
        return
    if row.replaces not in known:
        raise InputError(
            f"{row.place}: there is no {kind} {row.replaces!r} to put right",
            'name the id that is stored: edgetoll sql "FROM domains", plans or agreements',
        )
    old = known.pop(row.replaces)
    if old in found.new:
        found.new.remove(old)
    else:
        _note_replaced(found, kind, row.replaces, name, row.why)


def _note_replaced(found: NewFacts[Fact], kind: str, old: str, new: str, why: str) -> None:
    found.replaced.append(ReplacedFact(kind=kind, fact_id=old, replaced_by=new, why=why))


def new_methods(
    rows: Iterable[Placed[MethodChange]], stored: Iterable[MethodChange]
) -> list[MethodChange]:
    """The changes of method that are new."""
    known = {(one.account_id, one.effective_from): one for one in stored}
    new = []
    for row in rows:
        before = known.setdefault((row.fact.account_id, row.fact.effective_from), row.fact)
        if before is row.fact:
            new.append(row.fact)
        else:
            difference = differing(row.fact, before)
            what = f"method change of {row.fact.account_id!r}"
            _refuse_conflict(row, what, difference, "give another `effective_from`")
    return new


def differing(
    row: AccountFact, stored: AccountFact, names: Iterable[str] | None = None
) -> str | None:
    """The first field (of `names`) in which two rows differ, in words; None: they are the same."""
    for name in names or [one.name for one in fields(row)]:
        mine, other = getattr(row, name), getattr(stored, name)
        if mine != other:
            return f"{name} {other} and not {mine}"
    return None


def _refuse_conflict(row: Placed[Fact], what: str, difference: str | None, hint: str) -> None:
    if difference is not None:
        raise ConflictError(f"{row.place}: {what} is stored with {difference}", hint)
