"""Whose a domain is, how that account stands, and whether its balance would last: from the file
that billing publishes beside the stop list.

Nothing is counted or billed by it: it is what a person is told before HTTPS is switched on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Context, Decimal, localcontext
from pathlib import Path

from pydantic import TypeAdapter

from edge.errors import InputError
from edge.instants import parse_time

OLD = timedelta(hours=3)
"""Billing dates the file anew each hour: an older one says how things were."""
STOPPED = ("suspended", "released")
_EXACT = Context(prec=200)
_LINE_BEGINS = b'{"domain":"'


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainOwner:
    """A line of the file: who owns `domain`, and what the account has and pays.

    `available` and `price` are currency units, exact; the price is for `per` HTTPS requests, None
    where none is in force. The name was asked for `requests` times in `hours` hours, HTTP included.
    """

    domain: str
    account_id: str
    state: str
    currency: str
    available: Decimal
    price: Decimal | None
    per: int | None
    requests: int
    hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """What the file says of some names. `trouble`: why it cannot be relied on; blank: it can."""

    of: Mapping[str, DomainOwner] = field(default_factory=dict)
    trouble: str = ""

    def owner(self, domain: str) -> DomainOwner | None:
        """Who owns `domain`: by its own name, else by the wildcard that covers it."""
        return self.of.get(domain) or self.of.get(_wildcard(domain))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What is said of a domain's owner before its HTTPS is switched on, and whether it is enough.

    `needed` is what `days` of HTTPS cost at the recent rate and today's price, None where that is
    not known.
    """

    warnings: tuple[str, ...] = ()
    enough: bool = False
    needed: Decimal | None = None


_LINE = TypeAdapter(DomainOwner)


def read_owners(path: Path, domains: Collection[str], *, now: datetime) -> Owners:
    """The lines of `domains` and of their wildcards; what is wrong with the file is in words."""
    wanted = {name for domain in domains for name in (domain, _wildcard(domain))}
    found: dict[str, DomainOwner] = {}
    lines = 0
    try:
        with open(path, "rb") as file:
            head = json.loads(file.readline())
            for raw in file:
                lines += 1
                if not raw.startswith(_LINE_BEGINS) or not raw.endswith(b"\n"):
                    raise ValueError(f"its line {lines + 1} is cut or of another form")
                name = raw[len(_LINE_BEGINS) : raw.find(b'"', len(_LINE_BEGINS))].decode("ascii")
                if name in wanted:
                    found[name] = _LINE.validate_json(raw)
        if head["count"] != lines:
            raise ValueError(f"it says {head['count']} names and has {lines}")
        dated = parse_time(str(head["as_of"]))
    except FileNotFoundError:
        return Owners(trouble=f"{path} is not there: who pays for a domain is not known here")
    except (OSError, ValueError, KeyError, TypeError, InputError) as error:
        return Owners(trouble=f"{path} is not whole: {str(error).splitlines()[0]}")
    trouble = ""
    if now - dated > OLD:
        trouble = f"{path} is of {dated:%Y-%m-%d %H:%M} UTC: balances may have changed since"
    return Owners(of=found, trouble=trouble)


def prospect(owners: Owners, domain: str, *, days: int) -> Prospect:
    """What to tell of `domain` before its HTTPS is on for `days` days."""
    said = [owners.trouble] if owners.trouble else []
    owner = owners.owner(domain)
    if owner is None:
        if owners.of or not owners.trouble:
            said.append(f"no account owns {domain}: nobody would pay for its HTTPS requests")
        return Prospect(warnings=tuple(said))
    account = f"account {owner.account_id} of {owner.domain}"
    if owner.state in STOPPED:
        said.append(f"{account} is {owner.state}: its domains are refused until it pays")
    if owner.price is None or not owner.per:
        said.append(
            f"of {account} no price of HTTPS is known: none is in force, or nothing was rated"
        )
        return Prospect(warnings=tuple(said))
    if not owner.hours:
        said.append(f"no usage of {owner.domain} is known yet: what HTTPS will cost cannot be said")
        return Prospect(warnings=tuple(said), enough=_serves(owner) and owner.available > 0)
    with localcontext(_EXACT):
        # Compared crosswise, so that nothing is divided and nothing rounded.
        cost = owner.requests * 24 * days * owner.price
        lasts = owner.available * owner.hours * owner.per >= cost
        needed = cost / (owner.hours * owner.per)
    if not lasts:
        per_day = -(-owner.requests * 24 // owner.hours)
        said.append(
            f"{account} has {_money(owner.available)} {owner.currency}; {days} days of HTTPS at its"
            f" {per_day:,} requests a day and {_money(owner.price)} {owner.currency} per"
            f" {owner.per:,} cost {_money(needed)}"
        )
    return Prospect(warnings=tuple(said), enough=lasts and _serves(owner), needed=needed)


def _serves(owner: DomainOwner) -> bool:
    return owner.state not in STOPPED


def _wildcard(domain: str) -> str:
    return f"*.{domain.partition('.')[2]}"


def _money(value: Decimal) -> str:
    """An amount for people: to four decimals, or as many as a small one needs to be seen."""
    with localcontext(_EXACT):
        shown = value.normalize()
        exponent = shown.as_tuple().exponent
        if isinstance(exponent, int) and exponent < -4:
            first = shown.adjusted()
            shown = shown.quantize(Decimal(1).scaleb(min(-4, first - 1)))
        text = f"{shown:f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"
