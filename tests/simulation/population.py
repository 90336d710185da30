"""The customers of a simulated year: how much they use, when, how they pay; from one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu")
HABITS = ("prompt", "prompt", "monthly", "late", "late", "sloppy", "gone")
GRACES = (0, 2, 24, 24, 72)
UNIT = 10**10
# What an hour of the local day weighs against the mean hour, in percent.
BY_HOUR = (40, 30, 25, 25, 30, 45, 70, 100, 125, 140, 145, 145, 140, 140, 140, 135, 130, 130, 135,
           145, 150, 130, 95, 65)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One account: terms, traffic and habit of paying."""

    account_id: str
    zone: str
    grace_hours: int
    automatic: bool
    daily: bool
    """Settled by the day: a charge for each local day besides those of the hours."""
    credit_limit: int
    hourly_mean: int
    """Requests in a mean hour."""
    weekend_percent: int
    growth_percent_a_year: int
    habit: str
    gone_after_day: int
    top_up_hours: int
    """A usual payment covers this many mean hours."""


def population(count: int, seed: int) -> tuple[Customer, ...]:
    """`count` customers."""
    chance = random.Random(f"population-{seed}")
    return tuple(_customer(number, chance) for number in range(count))


def _customer(number: int, chance: random.Random) -> Customer:
    mean = int(10 ** chance.uniform(3.5, 6.0))
    return Customer(
        account_id=f"c{number:05}",
        zone=chance.choice(ZONES),
        grace_hours=chance.choice(GRACES),
        automatic=chance.random() < 0.7,
        daily=chance.random() < 0.2,
        credit_limit=chance.choice((0, 0, 0, 48)) * mean * price_per_request(None),
        hourly_mean=mean,
        weekend_percent=chance.choice((40, 70, 100, 100, 130)),
        growth_percent_a_year=chance.choice((-50, 0, 20, 100, 300)),
        habit=chance.choice(HABITS),
        gone_after_day=chance.randrange(20, 360),
        top_up_hours=chance.choice((150, 300, 700)),
    )


def price_per_request(at: datetime | None) -> int:
    """10^-10 units per request: 0.80 per million, dearer from April, cheaper from September."""
    if at is None or at.month < 4:
        return 8000
    return 9000 if at.month < 9 else 7500


class Traffic:
    """Requests of a customer, hour after hour; bursts and quiet spells included."""

    def __init__(self, customer: Customer, seed: int) -> None:
        self.customer = customer
        self._zone = ZoneInfo(customer.zone)
        self._chance = random.Random(f"traffic-{seed}-{customer.account_id}")
        self._burst_left = 0
        self._burst_percent = 100

    def requests(self, hour: datetime, day: int) -> int:
        """Requests of the hour that begins at `hour`, on day `day` of the simulation."""
        customer, chance = self.customer, self._chance
        local = hour.astimezone(self._zone)
        if self._burst_left == 0 and chance.random() < 0.0006:
            self._burst_left = chance.randrange(3, 40)
            self._burst_percent = chance.choice((0, 20, 300, 1000))
        percent = 100
        if self._burst_left:
            self._burst_left -= 1
            percent = self._burst_percent
        weekend = customer.weekend_percent if local.weekday() >= 5 else 100
        grown = 100 * 365 + customer.growth_percent_a_year * day
        shaped = customer.hourly_mean * BY_HOUR[local.hour] * weekend * percent * grown
        noise = chance.randrange(85, 116)
        return max(0, shaped * noise // (100 * 100 * 100 * 100 * 365 * 100))


class Payer:
    """When a customer pays, and how much: looks at what it was told, as customers do."""

    def __init__(self, customer: Customer, seed: int) -> None:
        self.customer = customer
        self._chance = random.Random(f"payer-{seed}-{customer.account_id}")
        self._pay_at: datetime | None = None

    def payment(self, now: datetime, day: int, available: int, state: str) -> int:
        """What is paid within this hour; 0: nothing."""
        customer, chance = self.customer, self._chance
        if customer.habit == "gone" and day >= customer.gone_after_day:
            return 0
        usual = customer.hourly_mean * price_per_request(now) * customer.top_up_hours
        if customer.habit == "monthly":
            first = now.astimezone(UTC).day == 1 and now.hour == 9
            return usual * 720 // customer.top_up_hours * 9 // 10 if first else 0
        if self._pay_at is not None:
            if now < self._pay_at:
                return 0
            self._pay_at = None
            owed = max(0, -available)
            # The sloppy pay exactly what they owe, or a little less: flapping around zero.
            return owed * chance.choice((98, 100)) // 100 if customer.habit == "sloppy" else usual
        trigger = {"prompt": "ok", "gone": "ok"}.get(customer.habit, "projected_overdue")
        grave = ("ok", "low_balance", "projected_overdue", "overdue", "suspend_due", "suspended",
                 "released")  # fmt: skip
        if grave.index(state) > grave.index(trigger):
            hours = {"prompt": (0, 4), "gone": (0, 4), "late": (1, 60), "sloppy": (1, 30)}
            low, high = hours[customer.habit]
            self._pay_at = now.fromtimestamp(
                now.timestamp() + 3600 * chance.randint(low, high), tz=UTC
            )
        return 0
