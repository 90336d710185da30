"""A flat fee, a maximum and a minimum are each a charge of their own, with their own reason."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from billing.rating.simulate import simulate
from tests.billing.rating.reference.generated import LAST, generate
from tests.billing.rating.reference.test_order_of_commands import tell
from tests.billing.rating.reference.test_reference import terms
from tests.billing.rating.world import World, at, one_book
from tests.effort import THOROUGH
from tests.reference import Account, Usage

SEEDS = 40 if THOROUGH else 2
ONE = 10**10
BOOK = """
[book]
id = "book"
currency = "USD"
[[card]]
id = "https"
item = "https_requests"
effective_from = 2020-01-01
unit = "request"
price = "1"
"""


@pytest.mark.parametrize("seed", range(600, 600 + SEEDS))
def test_g18_fee_maximum_and_minimum_are_what_the_reference_says_however_it_was_told(
    seed: int,
) -> None:
    print("seed", seed)
    case = generate(seed, accounts=8)
    world = World(case.books)
    tell(world, case, random.Random(seed))
    wanted = {key: parts for key, parts in terms(case, LAST).items() if key[0] not in world.held}
    made = {key: parts for key, parts in world.terms().items() if key[0] not in world.held}
    assert made == wanted
    # A case in twelve has no fee; the first one has, so that the comparison is about some.
    assert seed > 600 or any(parts[0] for parts in made.values())


def charges(world: World) -> list[tuple[object, ...]]:
    return world.connection.execute(
        "SELECT month, quantity, amount::BIGINT, revision, reason FROM charges"
        " ORDER BY period_start, revision"
    ).fetchall()


def world_with(folder: Path, terms: str) -> World:
    world = World(one_book(folder, BOOK + terms))
    world.account(Account("a", "UTC", at("2026-02-01"), "data_transfer"))
    return world


def use(world: World, when: str, requests: int) -> None:
    world.use([("a", Usage(at(when), "CN", "https", requests, 0))])


def test_g18_fee_and_minimum_stand_beside_the_usage_with_their_names(tmp_path: Path) -> None:
    world = world_with(tmp_path, 'flat_fee = "3"\nminimum = "9"\n')
    use(world, "2026-02-01T00:00", 2)
    world.rate(at("2026-02-28T23:00"))
    world.rate(at("2026-03-01"))
    assert charges(world) == [
        ("2026-02", 2, 2 * ONE, 0, "usage"),
        ("2026-02", 0, 3 * ONE, 1, "flat fee"),
        ("2026-02", 0, 4 * ONE, 3, "minimum"),
    ]


def test_g18_a_maximum_takes_away_in_a_charge_of_its_own(tmp_path: Path) -> None:
    world = world_with(tmp_path, 'flat_fee = "3"\nmaximum = "10"\n')
    use(world, "2026-02-01T05:00", 6)
    world.rate(at("2026-02-02"))
    use(world, "2026-02-03T05:00", 5)
    world.rate(at("2026-02-04"))
    assert charges(world) == [
        ("2026-02", 0, 3 * ONE, 1, "flat fee"),
        ("2026-02", 6, 6 * ONE, 0, "usage"),
        ("2026-02", 5, 5 * ONE, 0, "usage"),
        ("2026-02", 0, -4 * ONE, 2, "maximum"),
    ]


def test_g18_late_usage_takes_the_minimum_back_under_its_own_reason(tmp_path: Path) -> None:
    world = world_with(tmp_path, 'minimum = "9"\n')
    use(world, "2026-02-01T05:00", 2)
    world.rate(at("2026-03-01"))
    use(world, "2026-02-02T05:00", 4)
    world.rate(at("2026-03-01T01:00"))
    assert [row[1:] for row in charges(world)] == [
        (2, 2 * ONE, 0, "usage"),
        (4, 4 * ONE, 0, "late usage"),
        (0, 7 * ONE, 3, "minimum"),
        (0, -4 * ONE, 4, "minimum, late usage"),
    ]
    assert world.terms() == {("a", "2026-02", "https_requests", "all"): (0, 0, 3 * ONE)}


def test_g18_a_month_begun_before_terms_were_charged_apart_is_charged_once(tmp_path: Path) -> None:
    """Its fee stands in one charge with the usage, and neither goes away nor comes again."""
    world = world_with(tmp_path, 'flat_fee = "3"\nminimum = "9"\n')
    use(world, "2026-02-01T00:00", 2)
    world.rate(at("2026-02-02"))
    world.connection.execute("DELETE FROM made_charges WHERE term <> 'usage'")
    world.connection.execute("UPDATE made_charges SET amount = amount + 3 * 10000000000::HUGEINT")
    world.connection.execute("UPDATE month_sums SET flat_fee = 0")
    use(world, "2026-02-03T00:00", 1)
    world.rate(at("2026-03-01"))
    assert [row[1:] for row in charges(world)] == [
        (2, 5 * ONE, 0, "usage"),
        (1, 1 * ONE, 0, "usage"),
        (0, 3 * ONE, 3, "minimum"),
    ]


def test_g18_a_simulation_tells_the_fee_apart_from_the_usage(tmp_path: Path) -> None:
    world = world_with(tmp_path, 'flat_fee = "3"\nminimum = "9"\n')
    use(world, "2026-02-01T00:00", 2)
    world.rate(at("2026-03-01"))
    dearer = one_book(tmp_path, BOOK + 'flat_fee = "4"\nminimum = "10"\n').books["book"]
    (one,) = simulate(world.connection, books=world.books, tried=dearer, month="2026-02").accounts
    assert (one.charged, one.tried) == (9 * ONE, 10 * ONE)
    assert one.items == {"https_requests": (9 * ONE, 10 * ONE)}
    assert one.terms("https_requests") == {
        "flat fee": (3 * ONE, 4 * ONE), "minimum": (4 * ONE, 4 * ONE)
    }  # fmt: skip


def test_g15_a_prorated_fee_is_due_for_the_open_part_of_the_month(tmp_path: Path) -> None:
    """February has 8064 buckets; opened on the 15th at 00:05, 4031 of them are open."""
    world = World(one_book(tmp_path, BOOK + 'flat_fee = "3"\nminimum = "9"\nprorated = true\n'))
    world.account(Account("a", "UTC", at("2026-02-15T00:07"), "data_transfer"))
    world.account(Account("whole", "UTC", at("2026-02-01"), "data_transfer"))
    for through in ("2026-02-20", "2026-03-01"):
        world.rate(at(through))
    fee, least = 3 * ONE * 4031 // 8064, 9 * ONE * 4031 // 8064
    assert world.terms() == {
        ("a", "2026-02", "https_requests", "all"): (fee, 0, least - fee),
        ("whole", "2026-02", "https_requests", "all"): (3 * ONE, 0, 6 * ONE),
    }


def test_a_card_that_is_not_prorated_keeps_the_fingerprint_it_had(tmp_path: Path) -> None:
    (card,) = one_book(tmp_path, BOOK).books["book"].cards
    known = "749ca2ad83a2e8412088e0c63ba0cf9d40e5f3992410eb0e54de60a4354e38c1"
    assert card.fingerprint() == known
