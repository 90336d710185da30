"""What billing tells edges of domains' owners, written by billing and read by the edge itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.cli import top_up
from billing.https.edge_accounts import publish
from edge.https.owners import DomainOwner, read_owners
from tests.billing.homes import NOW, START, Use, close_hour, close_hours, make_home
from tests.billing.runner import rate

WWW = "www.acme.example"
USES = (
    Use(requests=2500),
    Use(requests=1500, class_="http"),
    Use(domain="a.beta.example", requests=70),
    Use(domain="b.beta.example", requests=30),
    Use(domain="nobody.example", requests=9),
)


def told(home: Path, *domains: str, now: datetime = NOW) -> dict[str, DomainOwner]:
    """What an edge reads of `domains`."""
    found = read_owners(home / "suspended" / "accounts.jsonl", domains, now=now)
    assert found.trouble == ""
    return {name: owner for name in domains if (owner := found.owner(name))}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two accounts; an hour of usage, eight days of silence, two hours of usage; rated."""
    made = make_home(tmp_path_factory.mktemp("told"))
    close_hours(made, START, 1, USES)
    quiet = START + timedelta(hours=1)
    close_hour(made, START + timedelta(hours=200), USES, empty_since=quiet)
    close_hours(made, START + timedelta(hours=201), 1, USES)
    rate(made)
    return made


def test_an_edge_reads_owner_state_balance_price_and_recent_requests(home: Path) -> None:
    found = told(home, WWW, "*.beta.example", "new.beta.example", "nobody.example")
    assert set(found) == {WWW, "*.beta.example", "new.beta.example"}
    own = found[WWW]
    assert (own.account_id, own.state, own.currency) == ("acme", "overdue", "USD")
    assert (own.price, own.per) == (Decimal("0.01"), 10_000)
    assert (own.requests, own.hours) == (2 * 4000, 168), "of the last week, of every class"
    assert own.available < 0
    wild = found["new.beta.example"]
    assert (wild.domain, wild.account_id, wild.requests) == ("*.beta.example", "beta", 2 * 100)


def test_it_is_written_when_it_changed_or_its_date_is_old_and_then_only(home: Path) -> None:
    path = home / "suspended" / "accounts.jsonl"
    rate(home)
    before = path.stat().st_ino
    rate(home, at=NOW + timedelta(minutes=59))
    assert path.stat().st_ino == before
    rate(home, at=NOW + timedelta(minutes=61))
    assert path.stat().st_ino != before, "its date says that it still holds"


def test_a_payment_stands_in_it_when_the_command_ends(home: Path) -> None:
    later = NOW + timedelta(hours=2)
    before = told(home, WWW, now=later)[WWW].available
    top_up("acme", "100.00", key="bank-9", home=home, as_of=later.isoformat())
    after = told(home, WWW, now=later)[WWW]
    assert after.available == before + 100
    assert after.state == "ok"


def test_the_accounts_own_price_and_its_percentage_off_are_what_it_pays(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with open(home / "prices" / "plain.toml", "a", encoding="utf-8") as book:
        book.write(
            '\n[[override]]\naccount = "acme"\nid = "https-acme"\nitem = "https_requests"\n'
            'region = "all"\neffective_from = 2020-01-01\nmodel = "per_unit"\nunit = "request"\n'
            'per = 10000\nprice = "0.03"\ndiscount_percent = "25"\n'
        )
    close_hours(home, START, 1, USES[:1])
    rate(home)
    found = told(home, WWW, "*.beta.example")
    assert found[WWW].price == Decimal("0.0225")
    assert found["*.beta.example"].price == Decimal("0.01")
    assert (found["*.beta.example"].requests, found["*.beta.example"].hours) == (0, 1)


def test_of_many_names_it_is_made_once_an_hour_and_not_by_a_payment(home: Path) -> None:
    later = NOW + timedelta(days=2)

    def published(when: datetime, *, everyone: bool) -> bool:
        with open_store(home, owner="test", now=when) as store:
            return publish(store, now=when, everyone=everyone, small_names=1)

    assert not published(later, everyone=False)
    assert published(later, everyone=True)
    assert not published(later + timedelta(minutes=59), everyone=True)
    assert published(later + timedelta(minutes=60), everyone=True)
