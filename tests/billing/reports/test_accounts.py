"""The at-risk report and the lake's account_states: the same figures, for people and for SQL."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

import sql
from billing.appliers import open_store
from billing.balance import states
from billing.commands.accounts import print_accounts
from billing.follow_up import follow_up
from billing.lake import publish, query
from billing.outbox import wording
from billing.reports.accounts import report, sparkline
from billing.store.store import Store
from tests.billing.conftest import open_world
from tests.billing.homes import NOW, load_text, make_home

COLUMNS = [
    "account_id", "state", "since", "available", "projected", "currency", "projected_zero_at",
    "unverified", "reason",
]  # fmt: skip


def lake_rows(world: Any) -> list[dict[str, Any]]:
    """account_states as the lake gets it."""
    answer = world.store.connection.execute(sql.text("lake/account_states"))
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def test_at_risk_names_time_and_reason_and_plots_the_burn(world: Any) -> None:
    world.account("safe")
    world.account("soon")
    world.pay("safe", "1000.00")
    world.pay("soon", "60.00")
    world.charge("soon", *["2.00"] * 24)
    world.charge("safe", *["1.00"] * 24)
    home, now = world.home, world.now
    world.store.close()
    lines, unverified = report(home, now=now, at_risk=True)
    world.store = open_world(home, owner="test", now=now)
    assert unverified is None
    assert [line.figures.account_id for line in lines] == ["soon"]
    (line,) = lines
    # 12.00 left; 2.00 an hour over the day, 48.00 over the week's 168 hours: 8/7 in the mean.
    assert line.outlook.zero_at == now + timedelta(hours=10, minutes=30)
    assert line.outlook.earliest == now + timedelta(hours=6)
    assert line.outlook.latest == now + timedelta(hours=42)
    assert line.stops_at == now + timedelta(hours=34, minutes=30), "zero plus the grace of 24 h"
    assert sparkline(line.payables) == "█" * 24
    assert line.document()["available"] == "12.00"


def test_at_risk_fits_120_columns_with_every_figure_in_one_piece(
    world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "a-customer-whose-id-is-long-" + "x" * 20
    world.account(long)
    world.charge(long, "98765432.10", *["1.3579135"] * 23)
    world.account("soon")
    world.pay("soon", "60.00")
    world.charge("soon", *["2.00"] * 24)
    world.look()
    home, now = world.home, world.now
    world.store.close()
    lines, _ = report(home, now=now, at_risk=True)
    world.store = open_world(home, owner="test", now=now)
    for width in ("80", "120"):
        monkeypatch.setenv("COLUMNS", width)
        print_accounts("Accounts at risk", lines)
        shown = capsys.readouterr().out
        assert max(len(line) for line in shown.splitlines()) <= int(width)
        assert long in shown, "an id is never broken"
    for line in lines:
        assert sparkline(line.payables) in shown
    figures = ("-98765463.34 USD", "12.00 USD", "03-01 10:30", "03-01 06:00 …", "03-02 18:00")
    for figure in (*figures, "overdue", "since 03-01 00:00", "told: nobody yet"):
        assert figure in shown, figure


def test_yen_are_told_without_decimals_wherever_an_account_is_told_of(world: Any) -> None:
    world.account("a", currency="JPY", threshold="1000")
    world.pay("a", "957")
    ((kind, body),) = world.store.connection.execute("SELECT kind, body FROM outbox").fetchall()
    data = orjson.loads(body)["data"]
    assert (data["available"], data["amount_due"]) == ("957", "0")
    assert data["burn_per_hour"]["last_day"] == "0"
    assert dict(wording.facts(kind, data))["Balance, with credit limit"] == "957 JPY"
    world.store.close()
    (line,), _unverified = report(world.home, now=world.now, at_risk=False)
    assert "957 JPY" in line.cells()[1]
    assert line.document()["available"] == "957"


def test_account_states_of_the_lake_has_the_public_columns(world: Any) -> None:
    world.account("debtor")
    world.account("fine", credit=5)
    world.charge("debtor", "1.50")
    world.look()
    rows = lake_rows(world)
    assert list(rows[0])[: len(COLUMNS)] == COLUMNS
    debtor, fine = rows
    assert (debtor["state"], str(debtor["available"])) == ("overdue", "-1.5000000000")
    assert debtor["since"] == world.now.replace(tzinfo=None)
    assert debtor["unverified"] is False
    assert (fine["state"], str(fine["available"])) == ("ok", "5.0000000000")
    assert fine["projected_zero_at"] is None


def test_lake_and_report_agree_on_the_forecast(world: Any) -> None:
    for number, paid in enumerate(("3.00", "40.00", "0.10", "7.77")):
        account = f"a{number}"
        world.account(account)
        world.pay(account, paid)
        world.charge(account, "0.05", 0, "0.01", "0.07")
    world.account("idle")
    states.prepare_lake(world.store, now=world.now)
    by_lake = {row["account_id"]: row["projected_zero_at"] for row in lake_rows(world)}
    home, now = world.home, world.now
    world.store.close()
    lines, _ = report(home, now=now, at_risk=False)
    world.store = open_world(home, owner="test", now=now)
    for line in lines:
        zero = line.outlook.zero_at
        assert by_lake[line.figures.account_id] == (zero and zero.replace(tzinfo=None))
    assert by_lake["idle"] is None, "nothing left and nothing burning is no end in sight"


def test_one_payment_rewrites_one_row_of_the_lake_and_it_is_as_if_all_had_been_judged(
    world: Any,
) -> None:
    for number in range(6):
        world.account(f"a{number}")
        world.charge(f"a{number}", "1.00", "2.00", "0.50")
    world.pay("a1", "40.00")
    follow_up(world.store, at=world.now)
    world.pay("a1", "10.00")
    world.pay("a2", "3.60")
    follow_up(world.store, at=world.now, accounts=["a1", "a2"])
    assert measured(world.store) == ["a1", "a2"]
    assert published_rows(world.home) == published_anew(world.store)
    assert measured(world.store) == [f"a{number}" for number in range(6)]


def test_a_loaded_limit_rewrites_the_rows_of_its_accounts(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with open_store(home, owner="test", now=NOW) as store:
        follow_up(store, at=NOW)
    limit = 'credit_limit = "12.50"\neffective_from = 2026-10-20T00:00:00Z\n'
    terms = 'name = "A"\ncurrency = "USD"\nprice_book = "plain"\n'
    loaded = load_text(
        home,
        f'[[accounts]]\nid = "acme"\n{terms}{limit}[[accounts]]\nid = "initech"\n{terms}',
        at=NOW,
    )
    with open_store(home, owner="test", now=NOW) as store:
        follow_up(store, at=NOW, accounts=loaded.accounts)
        assert measured(store) == sorted(loaded.accounts)
        assert published_rows(home) == published_anew(store)


def measured(store: Store) -> list[str]:
    """The accounts that were looked at last."""
    found = store.connection.execute("SELECT account_id FROM account_figures ORDER BY ALL")
    return [name for (name,) in found.fetchall()]


def published_anew(store: Store) -> list[Any]:
    """account_states of a lake that is made from nothing."""
    shutil.rmtree(store.home / "lake")
    publish.publish(store)
    return published_rows(store.home)


def published_rows(home: Path) -> list[Any]:
    """The lake's account_states, as readers have them."""
    with query.connect(home, query="lake_account_states") as connection:
        return connection.table("lake_account_states").order("account_id").fetchall()


def test_unverified_is_shown_beside_the_state_with_its_reason(world: Any) -> None:
    world.account("debtor")
    world.charge("debtor", "1.50")
    (world.home / "checks.json").write_text('{"red": ["balance_equals_entries"]}')
    world.look()
    (row,) = lake_rows(world)
    assert row["unverified"] is True
    assert row["reason"] == (
        "the balance is below zero; unverified: check is red: balance_equals_entries"
    )


def test_sparkline_marks_empty_hours_and_scales_to_the_greatest() -> None:
    assert sparkline([0, 1, 4, 8]) == "·▁▄█"
    assert sparkline([0, 0]) == "··"


def test_the_lake_schema_is_the_lakes_own_shape(world: Any, root: Path) -> None:
    world.account("a")
    world.rated()
    world.look()
    connection = world.store.connection
    connection.execute(sql.text("lake_schema/account_states"))
    made = connection.execute("DESCRIBE lake_account_states").fetchall()
    connection.execute("CREATE TEMP TABLE exported AS " + sql.text("lake/account_states"))
    exported = connection.execute("DESCRIBE exported").fetchall()
    assert [row[:2] for row in made] == [row[:2] for row in exported]
    assert datetime(2026, 1, 1, tzinfo=UTC) < world.now
