"""States on a real store: what changes, what is recorded with it, and what stays untouched."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from billing.balance import states
from billing.balance.records import Act, Cause
from edge.errors import ConflictError
from tests.billing.conftest import money, open_world


def test_hourly_payables_1_to_7_alert_only_below_12(world: Any) -> None:
    """DOMAIN §6 #39: 3 x mean(1..7) = 12; exactly 12 left is no alert, a cent less is."""
    world.account("exact")
    world.account("below")
    world.pay("exact", 28 + 12)
    world.pay("below", "39.99")
    for account in ("exact", "below"):
        world.charge(account, 1, 2, 3, 4, 5, 6, 7)
    world.look()
    assert world.state("exact") == "ok"
    assert world.state("below") == "low_balance"


def test_hours_without_usage_count_as_zero(world: Any) -> None:
    world.account("a")
    world.pay("a", "14.00")
    world.charge("a", 0, 0, 0, 0, 0, 0, 7)
    world.look()
    assert world.state("a") == "ok", "mean 1, limit 3, 7 left"


def test_overdue_carries_its_evidence(world: Any) -> None:
    world.account("a")
    world.pay("a", "5.00")
    world.charge("a", "2.00", "4.00")
    done = world.look()
    (standing,) = done.changed
    assert standing.state == "overdue"
    assert standing.evidence["available"] == -(10**10)
    assert standing.evidence["ledger_version"] == world.store.journal.last_no - 1
    assert standing.evidence["usage_through"] == world.now
    body = orjson.loads(done.events[0].body)
    assert body["type"] == "account.overdue"
    assert body["data"]["available"] == "-1.00"
    assert body["data"]["burn_per_hour"] == {
        "last_hour": "4.00",
        "last_day": "0.25",
        "last_week": "0.0357142857",
    }


def test_credit_limit_counts_as_available(world: Any) -> None:
    world.account("a", credit=10)
    world.charge("a", "9.00")
    world.look()
    assert world.state("a") == "low_balance", "1 left, limit 3 x 9/7"
    world.charge("a", "1.00")
    world.look()
    assert world.state("a") == "low_balance", "exactly zero is not below zero"
    world.charge("a", "0.0000000001")
    world.look()
    assert world.state("a") == "overdue"


def test_looking_twice_writes_nothing(world: Any) -> None:
    world.account("a")
    world.charge("a", "4.00")
    assert world.look().journal_no is not None
    before = world.store.journal.last_no
    assert world.look().journal_no is None
    assert world.store.journal.last_no == before


def test_g17_payment_clears_the_flag_in_its_own_record(world: Any) -> None:
    world.account("a")
    world.charge("a", "4.00")
    world.look()
    world.pass_hours(24)
    world.look()
    assert world.state("a") == "suspend_due"
    before = world.store.journal.last_no
    world.pay("a", "4.00")
    assert world.store.journal.last_no == before + 1, "money and state are one record"
    assert world.state("a") == "ok"
    row = world.store.connection.execute(
        "SELECT ledger_version, journal_no FROM account_state"
    ).fetchone()
    assert row == (before + 1, before + 1)
    assert world.events("a") == ["account.overdue", "account.suspend_due", "account.ok"]


def test_g17_payment_and_charge_in_either_order_end_alike(world: Any) -> None:
    world.account("first")
    world.account("second")
    world.pay("first", "3.00")
    world.charge("first", "4.00")
    world.charge("second", "4.00")
    world.look()
    world.pay("second", "3.00")
    world.look()
    assert world.state("first") == world.state("second") == "overdue"
    for account in ("first", "second"):
        world.pay(account, "1.00")
    assert world.state("first") == world.state("second") == "low_balance"


def test_g19_chargeback_makes_overdue_in_its_own_record(world: Any) -> None:
    world.account("a")
    world.pay("a", "10.00")
    world.charge("a", "4.00")
    world.look()
    assert world.state("a") == "ok"
    world.pay("a", "10.00", kind="chargeback")
    assert world.state("a") == "overdue"


def test_26_unpaid_for_24_hours_is_suspended_at_that_hour(world: Any) -> None:
    """DOMAIN §6 #26: bill 2 Oct 08:00, unpaid: stopped 3 Oct 08:00, not a second before."""
    world.now = datetime.fromisoformat("2026-10-02T08:00:00+00:00")
    world.account("a", policy="auto")
    world.charge("a", "1.00")
    world.look()
    world.pass_hours(23)
    world.look()
    assert world.state("a") == "overdue"
    world.now = datetime.fromisoformat("2026-10-03T07:59:59+00:00")
    world.look()
    assert world.state("a") == "overdue"
    world.now = datetime.fromisoformat("2026-10-03T08:00:00+00:00")
    world.look()
    assert world.state("a") == "suspended"


@pytest.mark.parametrize(("hours", "state"), [(0, "suspend_due"), (1, "overdue"), (72, "overdue")])
def test_grace_is_the_accounts_own(world: Any, hours: int, state: str) -> None:
    world.account("a", grace=hours)
    world.charge("a", "1.00")
    world.look()
    assert world.state("a") == state
    for _ in range(hours // 24):
        world.pass_hours(24)
        world.look()
    world.pass_hours(hours % 24)
    world.look()
    assert world.state("a") == "suspend_due"


def test_confirmed_suspension_is_lifted_by_payment_and_released_after_30_days(world: Any) -> None:
    world.account("paid")
    world.account("gone")
    for account in ("paid", "gone"):
        world.charge(account, "1.00")
    world.look()
    world.pass_hours(24)
    for account in ("paid", "gone"):
        states.order(
            world.store, account, Act(suspend=True, by="ann", reason="arrears"), now=world.now
        )
    world.pass_hours(30 * 24 - 1)
    world.look()
    world.pay("paid", "1.00")
    assert world.state("paid") == "ok"
    assert world.events("paid")[-1] == "account.resumed"
    assert world.state("gone") == "suspended"
    world.pass_hours(1)
    world.look()
    assert world.state("gone") == "released"


def test_suspending_who_is_not_due_is_refused_with_the_reason(world: Any) -> None:
    world.account("a")
    world.charge("a", "1.00")
    with pytest.raises(ConflictError, match="a is overdue, not suspend_due"):
        states.order(world.store, "a", Act(suspend=True, by="ann", reason="x"), now=world.now)
    assert world.state("a") == "overdue"


def test_payment_lifts_only_what_was_stopped_for_arrears(world: Any) -> None:
    world.account("a")
    world.pay("a", "5.00")
    act = Act(suspend=True, by="ann", reason="abuse", cause=Cause.ADMINISTRATIVE)
    world.rated()
    states.order(world.store, "a", act, now=world.now)
    world.pay("a", "50.00")
    world.look()
    assert world.state("a") == "suspended"
    states.order(world.store, "a", Act(suspend=False, by="bob", reason="settled"), now=world.now)
    assert world.state("a") == "ok"


def test_resuming_a_debtor_gives_a_fresh_grace(world: Any) -> None:
    world.account("a", policy="auto")
    world.charge("a", "1.00")
    world.look()
    world.pass_hours(24)
    world.look()
    states.order(world.store, "a", Act(suspend=False, by="bob", reason="promised"), now=world.now)
    assert world.state("a") == "overdue"
    world.pass_hours(23)
    world.look()
    assert world.state("a") == "overdue"
    world.pass_hours(1)
    world.look()
    assert world.state("a") == "suspended"


def test_g20_flapping_around_the_limit_gives_one_event_per_transition(world: Any) -> None:
    """A balance that moves by less than the margin around its limit stays low and says so once."""
    world.account("a", threshold="100.00")
    world.pay("a", "100.50")
    world.charge("a", "1.00")
    world.look()
    for _ in range(5):
        world.pay("a", "1.00")
        world.look()
        world.charge("a", "1.00")
        world.look()
    assert world.events("a") == ["account.low_balance"]
    world.pay("a", "10.50")
    assert world.events("a") == ["account.low_balance", "account.ok"]


def test_g20_flapping_around_zero_gives_one_event_per_crossing(world: Any) -> None:
    world.account("a")
    for _ in range(3):
        world.charge("a", "1.00")
        world.look()
        world.look()
        world.pay("a", "1.00")
        world.look()
    kinds = world.events("a")
    assert kinds.count("account.overdue") == 3
    ids = world.store.connection.execute("SELECT event_id FROM outbox").fetchall()
    assert len(set(ids)) == len(ids) == len(kinds)


def test_g21_red_check_stops_new_flags_and_the_grace_clock(world: Any) -> None:
    world.account("new")
    world.account("due")
    for account in ("new", "due"):
        world.charge(account, "1.00")
    world.look()
    world.pass_hours(12)
    (world.home / "checks.json").write_text('{"red": ["ledger_sums_to_zero: 1 row"]}')
    done = world.look()
    assert done.unverified == "check is red: ledger_sums_to_zero"
    world.pass_hours(48)
    world.look()
    assert world.state("new") == "overdue", "no time passes for it while the check is red"
    (world.home / "checks.json").write_text('{"red": []}')
    world.look()
    world.pass_hours(11)
    world.look()
    assert world.state("new") == "overdue"
    world.pass_hours(1)
    world.look()
    assert world.state("new") == "suspend_due"


def test_g21_held_run_and_stale_imports_raise_the_flag(world: Any) -> None:
    world.account("a", policy="auto")
    world.charge("a", "1.00")
    world.look()
    world.pass_hours(37, rated=False)
    done = world.look()
    assert done.unverified == "usage known only through 2026-03-01T00:00Z, older than 36 h"
    # The clock counted while usage was fresh enough: 36 h, more than the grace of 24 h.
    assert world.state("a") == "overdue"
    world.rated("held", "run-x")
    world.rated()
    assert world.look().unverified == "run run-x is held"
    assert world.state("a") == "overdue"
    world.store.connection.execute("UPDATE runs SET state = 'released' WHERE state = 'held'")
    assert world.look().unverified is None
    assert world.state("a") == "suspended"


def test_g21_standing_flags_stay_while_unverified(world: Any) -> None:
    world.account("a")
    world.charge("a", "1.00")
    world.look()
    world.pass_hours(24)
    world.look()
    (world.home / "checks.json").write_text("not json")
    assert world.look().unverified == "check is red: checks.json is damaged"
    assert world.state("a") == "suspend_due"
    with pytest.raises(ConflictError, match="cannot be suspended now: check is red"):
        states.order(world.store, "a", Act(suspend=True, by="ann", reason="x"), now=world.now)
    world.pay("a", "1.00")
    assert world.state("a") == "ok", "paying clears it, verified or not"


def test_g21_payments_feed_older_than_its_limit_raises_the_flag(world: Any) -> None:
    (world.home / "edgetoll.toml").write_text("[billing.balance]\npayments_limit_hours = 2\n")
    world.account("a", policy="auto", grace=0)
    world.charge("a", "1.00")
    assert world.look().unverified == "no payments have been imported yet"
    assert world.state("a") == "overdue"
    assert world.look(payments_through=world.now).unverified is None
    assert world.state("a") == "suspended"
    world.pass_hours(3)
    assert "payments known only through" in str(world.look().unverified)


@pytest.mark.parametrize(
    ("zone", "now", "begin", "length"),
    [
        ("Europe/Berlin", "2026-10-26T08:00:00Z", "2026-10-24T22:00:00Z", 25),
        ("Europe/Berlin", "2026-03-30T08:00:00Z", "2026-03-28T23:00:00Z", 23),
        ("Asia/Kathmandu", "2026-03-30T08:00:00Z", "2026-03-28T18:15:00Z", 24),
    ],
    ids=["25 hours", "23 hours", "UTC+5:45"],
)
def test_a_local_day_counts_whole_however_long_it_is(
    world: Any, zone: str, now: str, begin: str, length: int
) -> None:
    """Its own charge and those of its hours; an hour across midnight belongs to where it ends."""
    world.now = datetime.fromisoformat(now)
    world.account("a", timezone=zone, method="peak_bandwidth")
    start = datetime.fromisoformat(begin)
    end = start + timedelta(hours=length)
    spans = [(start, end, 100)]
    first = start.replace(minute=0) - timedelta(hours=3)
    spans += [(first + timedelta(hours=n), first + timedelta(hours=n + 1), 1) for n in range(31)]
    for begins, ends, amount in spans:
        world.charge_period("a", begins, ends, money(amount))
    world.pay("a", f"{sum(amount for _, _, amount in spans)}.01")
    world.charge("a", "1.00")
    (standing,) = world.look().changed
    assert standing.evidence["payable_day"] == money(100 + length)
    burn = standing.evidence["burn_per_hour"]
    assert burn["last_week"] * 168 > money(100), "a day of 25 hours burns too"  # type: ignore[index]


def test_states_are_rebuilt_from_the_journal(world: Any) -> None:
    world.account("a")
    world.charge("a", "1.00")
    world.look()
    world.pay("a", "1.00")
    path = world.store.path
    query = "SELECT * FROM account_state_history ORDER BY version"
    kept = world.store.connection.execute(query).fetchall()
    outbox = world.store.connection.execute("SELECT * FROM outbox ORDER BY version").fetchall()
    world.store.close()
    path.unlink()
    world.store = open_world(world.home, owner="test", now=world.now)
    again = world.store.connection
    assert again.execute(query).fetchall() == kept
    assert again.execute("SELECT * FROM outbox ORDER BY version").fetchall() == outbox
