"""Plans as products: valid from the purchase, for a time, and sold again after it."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billing.accounts.plan_terms import after, begins, check_lasts
from billing.appliers import open_store
from edge.errors import EdgetollError
from tests import forked
from tests.billing.homes import START, Use, close_hour, copied, load_text, make_home
from tests.billing.runner import posted, start

SOLD = """
[[plans]]
id = "h1m"
account = "acme"
kind = "https_requests"
quantity = 1000000
price = "4.00"
bought = 2026-10-01T09:15:30Z
lasts = "1 month"
renews = true
"""


def at(text: str) -> datetime:
    """A stored time: UTC without a zone."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("bought", "daily", "lasts", "from_", "to"),
    [  # DOMAIN §6 #18, the vendor's own examples, at 8 hours east of UTC
        ("2021-02-15T05:15:00", False, "12 months", "2021-02-15T05:00", "2022-02-15T05:00"),
        ("2021-02-15T05:15:00", True, "1 month", "2021-02-14T16:00", "2021-03-14T16:00"),
        ("2021-01-30T20:00:00", True, "1 month", "2021-01-30T16:00", "2021-02-27T16:00"),
        ("2021-02-15T05:15:00", False, "30 days", "2021-02-15T05:00", "2021-03-17T05:00"),
    ],
)
def test_a_plan_is_valid_from_its_purchase_for_whole_months_of_its_account(
    bought: str, daily: bool, lasts: str, from_: str, to: str
) -> None:
    starts = begins(at(bought), "Asia/Shanghai", daily=daily)
    assert (starts, after(starts, lasts, "Asia/Shanghai")) == (at(from_), at(to))


def test_months_are_counted_from_the_first_day_and_keep_the_time_of_day_over_summer() -> None:
    begun = at("2026-01-31T11:00")  # noon in Berlin, in winter
    ends = [after(begun, "1 month", "Europe/Berlin", times=n) for n in (1, 2, 3)]
    assert ends == [at("2026-02-28T11:00"), at("2026-03-31T10:00"), at("2026-04-30T10:00")]


@pytest.mark.parametrize("text", ["1 year", "12 months", "12 month"])
def test_how_long_a_plan_lasts_is_stored_in_one_form(text: str) -> None:
    assert check_lasts(text) == "12 months"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (SOLD.replace("1 month", "0 months"), "no time that a plan lasts"),
        (SOLD.replace("1 month", "forever"), "no time that a plan lasts"),
        (SOLD.replace('lasts = "1 month"\n', ""), "either when it `ends` or how long it `lasts`"),
        (SOLD.replace("bought = 2026-10-01T09:15:30Z\n", ""), "says when it `starts`, or when"),
        (
            SOLD.replace('lasts = "1 month"', "ends = 2026-12-01T00:00:00Z"),
            "what renews says how long",
        ),
    ],
)
def test_a_plan_whose_time_cannot_be_told_is_refused(
    tmp_path: Path, wrong: str, message: str
) -> None:
    home = make_home(tmp_path)
    with pytest.raises(EdgetollError, match=message):
        load_text(home, wrong)


def periods(home: Path, now: datetime) -> list[tuple[object, ...]]:
    """The periods sold, and what each was charged."""
    with open_store(home, owner="test", now=now) as store:
        return store.connection.execute(
            "SELECT p.plan_id, p.starts_at, p.ends_at, coalesce(sum(c.amount) // 10000000000, 0)"
            " FROM plans AS p LEFT JOIN charges AS c ON c.rate_card = 'plan/' || p.plan_id"
            " GROUP BY ALL ORDER BY p.starts_at"
        ).fetchall()


FIRST = ("h1m", at("2026-10-01T09:00"), at("2026-11-01T09:00"), 4)
SECOND = ("h1m#2", at("2026-11-01T09:00"), at("2026-12-01T09:00"), 4)
THIRD = ("h1m#3", at("2026-12-01T09:00"), at("2027-01-01T09:00"), 4)
DECEMBER_2 = datetime(2026, 12, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan bought for a month that renews, and hours closed to the second of December."""
    home = make_home(tmp_path_factory.mktemp("sold"))
    load_text(home, SOLD)
    close_hour(home, START, [Use()], complete_through=DECEMBER_2)
    return home


def test_each_period_is_sold_once_whenever_the_runs_come(sold: Path, tmp_path: Path) -> None:
    one = copied(sold, tmp_path / "one")
    for day in (datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC), DECEMBER_2):
        posted(one, at=day + timedelta(hours=1))
        posted(one, at=day + timedelta(hours=1))
    other = copied(sold, tmp_path / "other")
    posted(other, at=DECEMBER_2 + timedelta(hours=1))
    later = DECEMBER_2 + timedelta(hours=2)
    assert periods(one, later) == periods(other, later) == [FIRST, SECOND, THIRD]


def test_a_run_that_is_killed_after_a_renewal_sells_it_once(sold: Path, tmp_path: Path) -> None:
    home = copied(sold, tmp_path / "home")
    now = DECEMBER_2 + timedelta(hours=1)
    assert forked.ended(start(home, at=now, crash="rate-imported")) == -signal.SIGKILL
    posted(home, at=now)
    assert periods(home, now) == [FIRST, SECOND, THIRD]


def test_a_plan_that_renews_no_more_keeps_what_was_sold(sold: Path, tmp_path: Path) -> None:
    home = copied(sold, tmp_path / "home")
    november = datetime(2026, 11, 2, tzinfo=UTC)
    posted(home, at=november)
    ended = SOLD.replace("renews = true", 'why = "cancelled by the customer"')
    load_text(home, ended, at=november + timedelta(hours=1))
    posted(home, at=DECEMBER_2 + timedelta(hours=1))
    assert periods(home, DECEMBER_2 + timedelta(hours=2)) == [FIRST, SECOND]


def test_nothing_is_sold_to_an_account_that_has_closed(sold: Path, tmp_path: Path) -> None:
    home = copied(sold, tmp_path / "home")
    with open_store(home, owner="test", now=DECEMBER_2) as store:
        store.connection.execute("UPDATE accounts SET closed_at = TIMESTAMP '2026-11-15'")
    posted(home, at=DECEMBER_2 + timedelta(hours=1))
    assert [row[0] for row in periods(home, DECEMBER_2 + timedelta(hours=2))] == ["h1m", "h1m#2"]


def test_the_periods_of_a_plan_that_another_stands_in_for_go_with_it(
    sold: Path, tmp_path: Path
) -> None:
    home = copied(sold, tmp_path / "home")
    november = datetime(2026, 11, 2, tzinfo=UTC)
    posted(home, at=november)
    other = SOLD.replace('"h1m"', '"h2m"').replace("4.00", "7.00")
    other += 'replaces = "h1m"\nwhy = "another product was bought"\n'
    load_text(home, other, at=november + timedelta(hours=1))
    now = DECEMBER_2 + timedelta(hours=1)
    posted(home, at=now)
    assert periods(home, now) == [
        (row[0].replace("h1m", "h2m"), row[1], row[2], 7) for row in (FIRST, SECOND, THIRD)
    ]
    with open_store(home, owner="test", now=now) as store:
        gone = store.connection.execute(
            "SELECT count(*), sum(amount) FROM charges WHERE rate_card LIKE 'plan/h1m%'"
        ).fetchone()
    assert gone == (4, 0), "what the old one and its second period cost is taken back"
