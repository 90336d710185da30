"""The auditor itself: each fault planted into a sound run is found, and named for what it is.

An auditor that lets one of these pass would let anything pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.simulation.auditor import FLAGGED, Version, audit, read_history
from tests.simulation.simulator import Odds, Simulation
from tests.simulation.trace import Look

ODDS = Odds(red_check=(0.1, 4), late=0.1)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    """A run of three days with debts, suspensions, payments, red checks: nothing is wrong."""
    simulation = Simulation(
        tmp_path_factory.mktemp("sound") / "home", accounts=10, seed=4, odds=ODDS, funded_percent=5
    )
    simulation.run(24 * 4)
    simulation.calm()
    yield simulation
    simulation.store.close()


def test_the_sound_run_has_something_of_everything(sound: Simulation) -> None:
    checked = audit(sound)
    assert checked["flags justified"] > 3
    assert checked["debts seen flagged in time"] > 10
    assert checked["payments that cleared arrears"] > 1
    assert checked["to low_balance"] > 1
    assert any(look.bad for look in sound.trace.looks)


def found(simulation: Simulation, wanted: Callable[[Version], bool]) -> Version:
    """The last version of the history that is as wanted."""
    return [one for one in read_history(simulation) if wanted(one)][-1]


def first_flag(one: Version) -> bool:
    """An account that is flagged now and was not before."""
    return one.state in FLAGGED and one.previous not in FLAGGED


def change(simulation: Simulation, one: Version, what: str, *values: Any) -> None:
    """Change a version in the history as no command would; values are $3 and so on."""
    text = f"UPDATE account_state_history SET {what} WHERE account_id = $1 AND version = $2"  # noqa: S608
    simulation.store.connection.execute(text, [one.account_id, one.version, *values])


def change_event(simulation: Simulation, one: Version, what: str) -> None:
    """Change the event of a version."""
    text = f"UPDATE outbox SET {what} WHERE account_id = $1 AND version = $2"  # noqa: S608
    simulation.store.connection.execute(text, [one.account_id, one.version])


def take_event_out(simulation: Simulation, one: Version) -> None:
    """Delete the event of a version."""
    simulation.store.connection.execute(
        "DELETE FROM outbox WHERE account_id = $1 AND version = $2", [one.account_id, one.version]
    )


def double_event(simulation: Simulation, one: Version, event_id: str) -> None:
    """Store the event of a version once more, under `event_id`."""
    simulation.store.connection.execute(
        "INSERT INTO outbox SELECT * REPLACE ($3 AS event_id) FROM outbox"
        " WHERE account_id = $1 AND version = $2",
        [one.account_id, one.version, event_id],
    )


def suspension_without_debt(simulation: Simulation) -> None:
    one = found(simulation, lambda v: v.state == "ok" and v.version > 1)
    change(simulation, one, "state = 'suspended'")


def suspension_on_another_ledger_version(simulation: Simulation) -> None:
    """The debt is real, but at the version that is named there was none."""
    one = found(simulation, first_flag)
    moves = simulation.trace.moves[one.account_id]
    customer = next(c for c in simulation.customers if c.account_id == one.account_id)
    have = customer.credit_limit + moves.amounts[0]
    said = f'{{"available": "{have}", "payable_7_hours": 0}}'
    change(simulation, one, "ledger_version = $3, evidence = $4", moves.numbers[0], said)


def evidence_without_a_balance(simulation: Simulation) -> None:
    one = found(simulation, first_flag)
    change(simulation, one, "evidence = replace(evidence, 'available', 'forgotten')")


def payable_that_is_not_so(simulation: Simulation) -> None:
    one = found(simulation, lambda v: v.state == "low_balance")
    other = """evidence = json_merge_patch(evidence, '{"payable_7_hours": 12345}')"""
    change(simulation, one, other)


def suspension_before_its_time(simulation: Simulation) -> None:
    """An hour after the debt began, of a customer with a day of grace."""
    one = found(simulation, lambda v: first_flag(v) and grace_of(simulation, v) >= 24)
    began = found(
        simulation,
        lambda v: v.account_id == one.account_id and v.version == one.version - 1,
    )
    change(simulation, one, "since = make_timestamp($3 * 1000000::BIGINT)", began.since + 3600)


def suspension_too_late(simulation: Simulation) -> None:
    """It took effect hours later, in the record of then."""
    one = found(simulation, lambda v: first_flag(v) and looked_later(simulation, v) is not None)
    later = looked_later(simulation, one)
    assert later is not None
    what = "since = make_timestamp($3 * 1000000::BIGINT), journal_no = $4"
    change(simulation, one, what, later.at, later.number)


def suspension_that_never_came(simulation: Simulation) -> None:
    """It takes effect in a record after the last look."""
    one = found(simulation, lambda v: first_flag(v) and looked_later(simulation, v) is not None)
    change(simulation, one, "journal_no = 1000000000")


def suspension_on_bad_figures(simulation: Simulation) -> None:
    """At the look that flagged, a check was red."""
    one = found(simulation, first_flag)
    looks = simulation.trace.looks
    simulation.trace.looks = [
        look._replace(bad=True) if look.at == one.since else look for look in looks
    ]


def payment_that_did_not_clear(simulation: Simulation) -> None:
    """The state that the payment brought came one record later."""
    one = found(simulation, lambda v: v.previous in FLAGGED and v.state not in FLAGGED)
    change(simulation, one, "journal_no = journal_no + 1")


def resumed_without_paying(simulation: Simulation) -> None:
    """The payment that resumed it is not among what the new state rests on."""
    one = found(simulation, lambda v: v.previous == "suspended")
    before = found(
        simulation, lambda v: v.account_id == one.account_id and v.version == one.version - 1
    )
    what = "ledger_version = $3, evidence = $4"
    change(simulation, one, what, before.ledger_version, json.dumps(before.evidence))


def version_left_out(simulation: Simulation) -> None:
    change(simulation, found(simulation, first_flag), "version = version + 1")


def lost_event(simulation: Simulation) -> None:
    take_event_out(simulation, found(simulation, first_flag))


def doubled_event_with_another_id(simulation: Simulation) -> None:
    double_event(simulation, found(simulation, first_flag), "evt_other")


def doubled_event_with_the_same_id(simulation: Simulation) -> None:
    one = found(simulation, first_flag)
    row = simulation.store.connection.execute(
        "SELECT event_id FROM outbox WHERE account_id = $1 AND version = $2",
        [one.account_id, one.version],
    ).fetchone()
    assert row is not None
    double_event(simulation, one, row[0])


def event_in_another_record(simulation: Simulation) -> None:
    change_event(simulation, found(simulation, first_flag), "journal_no = journal_no + 1")


def event_that_says_otherwise(simulation: Simulation) -> None:
    one = found(simulation, lambda v: v.state == "suspended")
    change_event(simulation, one, "body = replace(body, 'suspended', 'ok')")


def receiver_left_behind(simulation: Simulation) -> None:
    """A receiver that never got the last message of an account."""
    one = found(simulation, lambda v: v.version > 1 and is_last(simulation, v))
    simulation.trace.told.highest = {
        **simulation.trace.told.highest,
        one.account_id: (one.version - 1, one.previous),
    }


def receiver_told_of_another_state(simulation: Simulation) -> None:
    one = found(simulation, lambda v: is_last(simulation, v))
    simulation.trace.told.highest = {
        **simulation.trace.told.highest,
        one.account_id: (one.version, one.previous),
    }


def grace_of(simulation: Simulation, one: Version) -> int:
    """The grace of its account, in hours."""
    return next(c.grace_hours for c in simulation.customers if c.account_id == one.account_id)


def is_last(simulation: Simulation, one: Version) -> bool:
    """Whether the account has no later version."""
    return not any(
        other.account_id == one.account_id and other.version > one.version
        for other in read_history(simulation)
    )


def looked_later(simulation: Simulation, one: Version) -> Look | None:
    """A trusted look some hours after a version, before the account's next one."""
    ends = [
        other.since
        for other in read_history(simulation)
        if other.account_id == one.account_id and other.version == one.version + 1
    ]
    end = ends[0] if ends else simulation.trace.looks[-1].at + 1
    good = [
        look
        for look in simulation.trace.looks
        if one.since + 4 * 3600 <= look.at < end and look.everyone and not look.bad
    ]
    return good[0] if good else None


PLANTED = {
    suspension_without_debt: "U1",
    suspension_on_another_ledger_version: "U1",
    evidence_without_a_balance: "available",
    payable_that_is_not_so: "payable of 7 hours",
    suspension_before_its_time: "too early",
    suspension_too_late: "U2",
    suspension_that_never_came: "U2",
    suspension_on_bad_figures: "U3",
    payment_that_did_not_clear: "U4|debt",
    resumed_without_paying: "resumed unpaid",
    version_left_out: "version",
    lost_event: "has no event",
    doubled_event_with_another_id: "two events",
    doubled_event_with_the_same_id: "an id stands twice",
    event_in_another_record: "not one record",
    event_that_says_otherwise: "says otherwise",
    receiver_left_behind: "last delivered",
    receiver_told_of_another_state: "told another state",
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found_and_named(
    sound: Simulation, plant: Callable[[Simulation], None]
) -> None:
    looks, highest = sound.trace.looks, sound.trace.told.highest
    sound.store.connection.execute("BEGIN")
    try:
        plant(sound)
        with pytest.raises((AssertionError, KeyError), match=PLANTED[plant]):
            audit(sound)
    finally:
        sound.store.connection.execute("ROLLBACK")
        sound.trace.looks, sound.trace.told.highest = looks, highest
    audit(sound)


def test_a_receiver_may_lack_what_was_given_up(sound: Simulation) -> None:
    highest = sound.trace.told.highest
    sound.store.connection.execute("BEGIN")
    try:
        receiver_left_behind(sound)
        sound.store.connection.execute("UPDATE deliveries SET status = 'given_up'")
        audit(sound)
    finally:
        sound.store.connection.execute("ROLLBACK")
        sound.trace.told.highest = highest
