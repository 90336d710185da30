"""Random price books, accounts and months from a seed, small enough to be rated by hand-written
loops.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from billing.prices.compiled import compile_books
from billing.prices.largest_hour import TooFine
from billing.prices.records import PriceBook, PriceBooks, RateCard, Tier
from billing.prices.units import BANDWIDTH_ITEMS, ITEMS
from tests.reference import Account, Commitment, Credit, Plan, Usage

BOOK = "book"
REGIONS = {"CN": "CN", "US": "NA", "CA": "NA", "DE": "EU", "FR": "EU", "BR": "SA"}
ZONES = ["UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Pacific/Marquesas",
         "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Pacific/Chatham"]  # fmt: skip
FIRST = datetime(2026, 2, 27)  # noqa: DTZ001 (times here are UTC without a zone, as they are stored)
LAST = datetime(2026, 4, 3)  # noqa: DTZ001
FIVE = timedelta(minutes=5)


@dataclass
class Case:
    """One generated world: what is sold, who buys, what they used."""

    books: PriceBooks
    accounts: list[Account]
    usage: dict[str, list[Usage]]

    @property
    def cards(self) -> tuple[RateCard, ...]:
        """The cards of the one book."""
        return self.books.books[BOOK].cards


def generate(seed: int, accounts: int = 12) -> Case:
    """The world of `seed`: always the same."""
    dice = random.Random(seed)
    people = [_account(dice, number) for number in range(accounts)]
    cards = _fitting(_cards(dice, people))
    book = PriceBook(book_id=BOOK, title="", currency="USD", timezone="UTC", regions=REGIONS,
                     cards=tuple(cards))  # fmt: skip
    usage = {person.account_id: _usage(dice, person) for person in people}
    for person in people:
        _agree(random.Random(f"{seed} {person.account_id}"), person)
    return Case(books=PriceBooks(books={BOOK: book}), accounts=people, usage=usage)


def _fitting(cards: list[RateCard]) -> list[RateCard]:
    """Prorated cards need room for a month's buckets: where prices are too fine, none is."""
    book = PriceBook(book_id=BOOK, title="", currency="USD", timezone="UTC", regions=REGIONS,
                     cards=tuple(cards))  # fmt: skip
    try:
        compile_books(PriceBooks(books={BOOK: book}))
    except TooFine:
        return [replace(card, prorated=False) for card in cards]
    return cards


def moment(dice: random.Random, first: datetime = FIRST, last: datetime = LAST) -> datetime:
    """A 5-minute edge in the range; often at an hour, a day or near a month's end."""
    if dice.random() < 0.3:
        edge = dice.choice([datetime(2026, 3, 1), datetime(2026, 4, 1)])  # noqa: DTZ001
        return edge + FIVE * dice.randrange(-200, 200)
    return first + FIVE * dice.randrange((last - first) // FIVE)


def _account(dice: random.Random, number: int) -> Account:
    name = f"a{number}"
    method = dice.choice(["data_transfer"] * 3 + list(BANDWIDTH_ITEMS))
    account = Account(
        account_id=name,
        zone=dice.choice(ZONES),
        opened=dice.choice([datetime(2026, 1, 20), moment(dice)]),  # noqa: DTZ001
        method=method,
    )
    if number % 5 == 4:  # closed before the month of its last usage ends, or in it
        account.closed = max(account.opened, FIRST) + timedelta(days=3 * number, minutes=7)
    if dice.random() < 0.3:
        asked = moment(dice)
        account.changes.append((asked, dice.choice(["data_transfer", *BANDWIDTH_ITEMS])))
    for plan in range(dice.choice([0, 0, 1, 2, 4])):
        kind = dice.choice(["data_transfer", "https_requests"])
        starts = moment(dice) - timedelta(days=dice.choice([0, 0, 40]))
        starts += timedelta(seconds=dice.choice([0, 0, 1234]))
        account.plans.append(
            Plan(
                plan_id=f"{name}p{plan}",
                kind=kind,
                region=dice.choice(["NA", "EU", "CN", "OverSeas", "all"]),
                quantity=dice.choice([1, 1000, 10**6, 10**12]) * dice.randrange(1, 9),
                starts=starts,
                ends=starts + timedelta(hours=dice.choice([1, 30, 400, 2000])),
            )
        )
    return account


def _agree(dice: random.Random, person: Account) -> None:
    """Credits with scopes that overlap, commitments, and prices of plans."""
    name = person.account_id
    for number in range(dice.choice([0, 1, 3])):
        starts = moment(dice)
        credit = Credit(
            credit_id=f"{name}g{number}",
            amount=dice.choice([1, 10**9, 10**13, 10**17]),
            items=tuple(dice.sample([*ITEMS, "plan"], dice.choice([0, 0, 1, 3]))),
            regions=dice.choice([(), (), ("all",), ("CN",), ("OverSeas", "all")]),
            priority=dice.choice([1, 100]),
            starts=starts,
            ends=starts + FIVE * dice.choice([1, 500, 9000]),
        )
        person.credits.append(credit)
    for number in range(dice.choice([0, 0, 1, 2])):
        starts = dice.choice([datetime(2026, 2, 1), moment(dice)])  # noqa: DTZ001
        commitment = Commitment(
            commitment_id=f"{name}m{number}",
            amount=dice.choice([1, 10**10, 10**16]),
            settles=dice.choice(["month", "term"]),
            starts=starts,
            ends=starts + timedelta(days=dice.choice([1, 20, 45])),
        )
        person.commitments.append(commitment)
    person.plans = [
        plan._replace(price=dice.choice([None, 0, 123_456_789_000])) for plan in person.plans
    ]


def _cards(dice: random.Random, people: list[Account]) -> list[RateCard]:
    cards: list[RateCard] = []
    for item in ITEMS:
        if item != "data_transfer" and dice.random() < 0.25:
            continue
        scopes = dice.choice(
            [["all"], ["all", "CN"], ["CN", "OverSeas"], ["all", "NA", "OverSeas"]]
        )
        for scope in scopes:
            starts = [datetime(2020, 1, 1)]  # noqa: DTZ001
            starts += [moment(dice) for _ in range(dice.choice([0, 0, 1, 2]))]
            for start in starts:
                cards.append(_card(dice, f"c{len(cards)}", item, scope, start, None))
            if dice.random() < 0.4:
                person = dice.choice(people)
                card = _card(dice, f"c{len(cards)}", item, scope, moment(dice), person.account_id)
                cards.append(card)
    return cards


def _card(
    dice: random.Random, name: str, item: str, scope: str, start: datetime, account_id: str | None
) -> RateCard:
    model = dice.choice(["per_unit", "package", "graduated", "volume", "step_reached"])
    period = "month"
    if item in BANDWIDTH_ITEMS:
        model = dice.choice(["per_unit", "step_reached", "volume"])
        period = "day" if item == "peak_bandwidth" else "month"
    elif model == "step_reached":
        period = dice.choice(["hour", "day", "month"])
    size = dice.choice([1, 7, 10_000, 2**30])
    tiers = [Tier(up_to=None, price=dice.choice([0, 1, 80_000_000, 1_234_567]))]
    if model not in ("per_unit", "package"):
        bounds = sorted(dice.sample(range(1, 400), dice.choice([0, 1, 3])))
        scale = dice.choice([1, 1000, 10**9])
        tiers = [_tier(dice, bound * scale) for bound in bounds] + [_tier(dice, None)]
        if item not in BANDWIDTH_ITEMS and period == "month" and dice.random() < 0.3:
            first = tiers[0]
            tiers[0] = Tier(up_to=first.up_to, price=first.price, flat_fee=777, at_zero=True)
    fixed = dice.random() < 0.3
    low = dice.choice([0, 5 * 10**9])
    until = (
        None if account_id is None or dice.random() < 0.5 else start + FIVE * dice.randrange(1, 999)
    )
    free = item not in BANDWIDTH_ITEMS and dice.random() < 0.4
    return RateCard(
        card_id=name,
        book=BOOK,
        account_id=account_id,
        item=item,
        scope=scope,
        model=model,
        currency="USD",
        unit="request",
        per=1,
        unit_quantity=size,
        period=period,
        effective_from=start.replace(tzinfo=UTC),
        effective_until=None if until is None else until.replace(tzinfo=UTC),
        tiers=tuple(tiers),
        flat_fee=dice.choice([0, 123_456_789]) if fixed else 0,
        minimum=low if fixed and dice.random() < 0.5 else None,
        maximum=low + 10**11 if fixed and dice.random() < 0.5 else None,
        free_quantity=dice.choice([10, 5000, 10**10]) if free else 0,
        discount=dice.choice([0, 0, 100_000, 333_333]),
        prorated=fixed and int(name[1:]) % 2 == 0,
    )


def _tier(dice: random.Random, up_to: int | None) -> Tier:
    price = dice.choice([0, 2, 80_000_000, 7_654_321])
    return Tier(up_to=up_to, price=price, flat_fee=dice.choice([0, 0, 4_000_000_000]))


def _usage(dice: random.Random, person: Account) -> list[Usage]:
    rows = {}
    for _ in range(dice.choice([0, 10, 40])):
        bucket = moment(dice, max(FIRST, person.opened))
        if bucket < person.opened or bucket >= min(LAST, person.closed):
            continue
        for _ in range(dice.choice([1, 1, 3])):
            kind = dice.choice(["https", "https", "http", "quic"])
            label = dice.choice(list(REGIONS))
            near = bucket + FIVE * dice.randrange(3)
            if near < min(LAST, person.closed):
                rows[near, label, kind] = Usage(
                    bucket=near,
                    label=label,
                    kind=kind,
                    requests=dice.choice([0, 1, 355, 10_000, 123_456]),
                    bytes_sent=dice.choice([0, 1, 5000, 10**9, 7 * 10**12]),
                )
    return sorted(rows.values(), key=lambda row: (row.bucket, row.label, row.kind))
