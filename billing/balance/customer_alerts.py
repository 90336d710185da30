"""Alerts that customers set themselves: high bill, budget, usage cap by HTTPS requests, plan low.

They stand in HOME/alert_rules.toml, one `[[rule]]` each, with an id that is never used twice:

    [[rule]]
    id = "acme-cap"
    account = "acme"
    kind = "usage_cap"           # high_bill | budget | usage_cap | plan_low
    domain = "www.acme.example"  # usage_cap only; without it: each of the account's names by itself
    limit = "1000000"            # currency units, HTTPS requests, or percent left of the plan
    period = "day"               # hour | day | month, in the account's time zone
    release_hours = 24           # usage_cap only: the name comes back by itself after this
    percents = [50, 80, 100]     # budget only: shares of the limit that are told of

The customer's own balance threshold stands with the account (`low_balance_threshold`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from billing.balance.events import Event, envelope, event_id
from billing.instants import stamp
from billing.money import format_amount, parse_amount
from billing.readable import unlike_any_other
from edge.configfile import read_toml
from edge.domain import canonical_domain
from edge.errors import InputError

FILE = "alert_rules.toml"
_COUNT = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class Kind(StrEnum):
    """What a rule watches (DOMAIN §3.3)."""

    HIGH_BILL = "high_bill"
    BUDGET = "budget"
    USAGE_CAP = "usage_cap"
    PLAN_LOW = "plan_low"


OF_MONEY = (Kind.HIGH_BILL, Kind.BUDGET)
"""The kinds whose limit is an amount."""


class Rule(BaseModel):
    """One rule as its file holds it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=100)
    account: str = Field(min_length=1)
    kind: Kind
    limit: str
    domain: str | None = None
    period: str = Field(default="day", pattern="^(hour|day|month)$")
    release_hours: int = Field(default=24, ge=1, le=24 * 366)
    percents: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(
        default=(50, 80, 100), min_length=1
    )

    @model_validator(mode="after")
    def _fits(self) -> Rule:
        if self.kind is not Kind.USAGE_CAP and self.domain is not None:
            raise ValueError("only a usage_cap has a domain")
        if self.domain is not None and canonical_domain(self.domain) != self.domain:
            raise ValueError(f"{self.domain!r} is not a canonical domain name")
        if (why := unlike_any_other(self.id)) is not None:
            raise ValueError(f"id {self.id!a} could be taken for another: {why}")
        if self.kind not in OF_MONEY and not _COUNT.fullmatch(self.limit):
            raise ValueError("the limit must be a whole number of requests or percent, from 1 on")
        if self.kind is Kind.PLAN_LOW and int(self.limit) > 100:
            raise ValueError("no plan has more than 100 percent left")
        if self.kind in OF_MONEY:
            _check_amount(self.limit)
        if self.kind is Kind.BUDGET and self.model_fields_set & {"period", "release_hours"}:
            raise ValueError("a budget is of a month: it has neither period nor release_hours")
        if self.kind is not Kind.BUDGET and "percents" in self.model_fields_set:
            raise ValueError("only a budget has percents")
        if list(self.percents) != sorted(set(self.percents)):
            raise ValueError("percents rise, each once, like [50, 80, 100]")
        return self

    @property
    def quantity(self) -> int:
        """The limit as a whole number: 10^-10 currency units, requests, or percent."""
        return parse_amount(self.limit) if self.kind in OF_MONEY else int(self.limit)

    @property
    def span(self) -> str:
        """What it is measured over: hour, day or month."""
        return "month" if self.kind is Kind.BUDGET else self.period


def _check_amount(text: str) -> None:
    try:
        if parse_amount(text) <= 0:
            raise ValueError("the limit must be above zero")
    except InputError as error:
        raise ValueError(error.message) from error


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: list[Rule] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_are_single(self) -> _Rules:
        seen: set[str] = set()
        for rule in self.rule:
            if rule.id in seen:
                raise ValueError(f"rule id {rule.id!r} stands twice")
            seen.add(rule.id)
        return self


def read_rules(home: Path) -> tuple[Rule, ...]:
    """The rules of HOME/alert_rules.toml; no file: no rules; a blank or wrong one: ConfigError."""
    path = home.joinpath(FILE)
    return tuple(read_toml(path, _Rules).rule) if path.exists() else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetShare:
    """Which share of a budget moved: `basis` is what was `spent`, or what the month is `projected`
    to come to. `times`: how often it was told of before; every second time it fell back.
    """

    basis: str
    percent: int
    budget: int
    times: int

    @property
    def resolved(self) -> bool:
        """Whether this tells that it fell back."""
        return self.times % 2 == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one rule watches, as measured now; `subject` names the period or plan, and domain."""

    rule_id: str
    account_id: str
    kind: Kind
    subject: str
    domain: str | None
    measured: int
    limit: int
    release_hours: int
    currency: str
    unit: str = ""
    """Of what a plan has left: bytes or requests."""
    until: datetime | None = None
    """Until when it stands: the end of a capped name's pause, or of a budget's month."""
    share: BudgetShare | None = None
    """Of a budget: which of its shares."""

    @property
    def over(self) -> bool:
        """Whether a bill or a count has reached its limit, or a plan has less left than its share.

        For a plan `measured` is what is left and `limit` the share, rounded up to whole units:
        below it, not at it, is low (DOMAIN §2.1).
        """
        if self.kind is Kind.PLAN_LOW:
            return self.measured < self.limit
        return self.measured >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """One crossing: what is recorded, and the event that tells of it."""

    measured: Measured
    since: datetime
    until: datetime | None
    event: Event


def raise_alert(measured: Measured, *, now: datetime) -> Raised:
    """The record and event of one crossing; the id depends on rule and subject alone (of a budget
    that was told of before, on how often as well).
    """
    capped = measured.kind is Kind.USAGE_CAP
    until = now + timedelta(hours=measured.release_hours) if capped else measured.until
    money, unit, share = measured.kind in OF_MONEY, measured.currency, measured.share
    kind = f"alert.{told_as(measured)}"
    data: dict[str, object] = {
        "account_id": measured.account_id,
        "rule_id": measured.rule_id,
        "subject": measured.subject,
        "domain": measured.domain,
        "measured": format_amount(measured.measured, unit) if money else str(measured.measured),
        "limit": format_amount(measured.limit, unit) if money else str(measured.limit),
        "currency": measured.currency if money else None,
        "unit": measured.unit or None,
        "since": stamp(now),
        "until": stamp(until) if until else None,
    }
    if share is not None:
        budget, end = format_amount(share.budget, unit), " no more" if share.resolved else ""
        data |= {
            "basis": share.basis,
            "percent": share.percent,
            "budget": budget,
            "reason": f"{share.basis} {share.percent} % of {budget} {unit}{end}",
        }
    number = (share.times,) if share is not None and share.times else ()
    event = Event(
        event_id=event_id("alert", measured.rule_id, measured.subject, *number),
        account_id=measured.account_id,
        version=0,
        kind=kind,
        happened_at=now,
        body=envelope(kind, now, data),
    )
    return Raised(measured=measured, since=now, until=until, event=event)


def told_as(measured: Measured) -> str:
    """What a crossing is recorded and told as: its rule's kind, or that a budget fell back."""
    fell_back = measured.share is not None and measured.share.resolved
    return f"{measured.kind}_resolved" if fell_back else measured.kind.value
