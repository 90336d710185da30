"""A month's close: a checklist that counts, an approval that lets pass what was seen and no more,
and documents that come once, whoever is killed.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from billing.appliers import open_store
from billing.checks import red
from billing.checks.red import CheckResult
from billing.close import checklist, steps
from billing.close.records import Checklist, Weight
from billing.invoices.settings import CloseSettings
from billing.lake import query
from billing.money import parse_amount
from edge.errors import InputError
from edgetoll import main
from tests import forked
from tests.billing.homes import Use, load_text, make_home
from tests.billing.invoices.world import (
    BOOK,
    DECEMBER,
    ISSUE,
    NOVEMBER,
    OCTOBER,
    World,
    made_once,
    october,
)

WHEN = DECEMBER + timedelta(hours=4)


def look(world: World, month: str = "2026-10", at: datetime = ISSUE, **close: Any) -> Checklist:
    """The checklist of a month."""
    settings = world.settings.model_copy(update={"close": CloseSettings(**close)})
    with open_store(world.home, owner="test", now=at) as store:
        return checklist.look(store, month, settings=settings, at=at)


def step(world: World, taken: Callable[..., Any], at: datetime = ISSUE, **more: Any) -> Any:
    """Take a step of October's close."""
    close = CloseSettings(**more.pop("close", {"requires": ()}))
    settings = world.settings.model_copy(update={"close": close})
    with open_store(world.home, owner="test", now=at) as store:
        return taken(store, "2026-10", by="ada", settings=settings, at=at, **more)


approve = partial(step, taken=steps.approve, reason="looked at it")
issue = partial(step, taken=steps.issue)


def item(found: Checklist, name: str) -> tuple[Weight, str]:
    """The one row of that name: its weight and what it says."""
    (one,) = [one for one in found.items if one.name == name]
    return one.weight, one.what


def files(world: World) -> dict[str, bytes]:
    """Every document of October, byte for byte."""
    folder = world.home / "invoices" / "2026-10"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def journal(world: World) -> list[str]:
    """The kinds of all records."""
    with open_store(world.home, owner="test", now=WHEN) as store:
        return [record.kind for record in store.journal.records()]


def test_the_checklist_counts_hours_and_names_what_accounts_lack(tmp_path: Path) -> None:
    found = look(october(tmp_path))
    assert item(found, "hours") == (
        Weight.KNOW,
        "3 of 744 hours complete (UTC); the others lie before the first edge was known",
    )
    assert item(found, "no address") == (
        Weight.LOOK,
        "1 account to be issued without address: beta",
    )
    assert item(found, "no email")[1].endswith(": acme, beta")
    assert item(found, "no tax id")[0] is Weight.KNOW
    assert found.unapproved == (
        "check old", "no address:beta", "no email:acme", "no email:beta"
    )  # fmt: skip


def test_its_totals_are_those_of_the_documents_that_are_then_issued(tmp_path: Path) -> None:
    world = october(tmp_path)
    (before,) = look(world).totals
    assert (before.issued, before.to_issue) == (0, 2)
    approve(world)
    issue(world)
    documents = world.documents("2026-10")
    assert before.total == sum(one.total for one in documents)
    assert before.tax == sum(one.tax for one in documents)
    (after,) = look(world).totals
    assert after == replace(before, issued=2, to_issue=0)


def test_looking_changes_nothing(tmp_path: Path) -> None:
    world = october(tmp_path)
    before = journal(world)
    look(world)
    assert journal(world) == before
    assert not (world.home / "invoices" / "2026-10").exists()


def test_nothing_is_issued_before_somebody_approved_it(tmp_path: Path) -> None:
    world = october(tmp_path)
    with pytest.raises(InputError, match="nobody has approved the close of 2026-10"):
        issue(world)
    assert world.documents("2026-10") == []


def test_each_step_is_kept_with_who_took_it_and_taken_again_changes_nothing(
    tmp_path: Path,
) -> None:
    world = october(tmp_path)
    approve(world)
    issue(world)
    documents, records = files(world), journal(world)
    approve(world)
    issue(world)
    assert (files(world), journal(world)) == (documents, records)
    taken = look(world).steps
    assert [(one.step, one.decided_by, one.documents) for one in taken] == [
        ("approved", "ada", 0), ("issued", "ada", 2)
    ]  # fmt: skip
    assert taken[0].findings == ["check old"]


def test_an_approval_lets_pass_what_was_seen_and_no_more(tmp_path: Path) -> None:
    world = october(tmp_path)
    approve(world)
    _found, done = issue(world, close={"requires": ("address",)})
    (waiting,) = done.issued.waiting
    assert (waiting.account_id, done.issued.invoices) == ("beta", 1)
    assert "no address" in waiting.problem
    approve(world, close={"requires": ("address",)})
    _found, done = issue(world, close={"requires": ("address",)})
    assert (done.issued.waiting, done.issued.invoices) == ((), 1)


def test_a_new_finding_about_the_month_itself_stops_it(tmp_path: Path) -> None:
    world = october(tmp_path)
    red.note_full(world.home, [CheckResult(check="one", about="")], at=ISSUE)
    approve(world)
    with pytest.raises(InputError, match="since ada approved 2026-10 there is: check old"):
        issue(world, at=ISSUE + timedelta(days=3))


def test_auto_issues_accounts_without_a_finding_and_leaves_the_others_by_name(
    tmp_path: Path,
) -> None:
    world = october(tmp_path)
    _found, done = issue(world, close={"requires": ("address",), "policy": "auto"})
    assert [one.account_id for one in done.issued.waiting] == ["beta"]
    assert [one.account_id for one in world.documents("2026-10")] == ["acme"]


def test_nobody_lets_pass_a_red_check(tmp_path: Path) -> None:
    world = october(tmp_path)
    broken = CheckResult(check="ledger_sums_to_zero", about="", rows=(("x",),))
    red.note_full(world.home, [broken], at=ISSUE)
    with pytest.raises(InputError, match="check red: ledger_sums_to_zero"):
        approve(world)
    with pytest.raises(InputError, match="check red"):
        issue(world, close={"requires": (), "policy": "auto"})


def test_a_month_that_is_not_over_is_not_approved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the month ends at 2026-11-01"):
        approve(october(tmp_path), at=NOVEMBER - timedelta(hours=1))


def test_a_home_without_accounts_has_nothing_to_close_and_says_so(tmp_path: Path) -> None:
    world = World.at(make_home(tmp_path, accounts=None))
    assert item(look(world), "hours")[0] is Weight.STOP
    with pytest.raises(InputError, match="no account is loaded"):
        approve(world)


CAUSES = {
    "usage": "usage", "plan": "plan", "price": "price", "tax": "tax", "ended": "plan",
    "gifted": "promotional credit", "bound": "commitment", "bought": "plan sold",
}  # fmt: skip
"""Customers by name, and what makes their November another sum than their October; one more is the
same in both. The plan of `ended` has paid all of October.
"""
CUSTOMERS = (*CAUSES, "same")
CARD = """
[[override]]
account = "price"
id = "price-{month}"
item = "https_requests"
region = "all"
effective_from = {day}
unit = "request"
per = 10000
price = "{price}"
"""


@made_once
def two_months(folder: Path) -> World:
    """October issued, November rated."""
    accounts = "".join(
        f'[[accounts]]\nid = "{name}"\nname = "{name}"\ncurrency = "USD"\nprice_book = "plain"\n'
        f'tax_rate_percent = "20"\neffective_from = 2020-01-01T00:00:00Z\n'
        f'[[domains]]\ndomain = "{name}.example"\naccount = "{name}"\n'
        for name in CUSTOMERS
    )
    book = (
        BOOK.replace('price = "0.008"', 'price = "1"')
        + CARD.format(month="10", day="2020-01-01", price="1")
        + CARD.format(month="11", day="2026-11-01", price="3")
    )
    world = World(folder, accounts=accounts, book=book)
    load_text(
        world.home,
        '[[accounts]]\nid = "tax"\nname = "tax"\ncurrency = "USD"\nprice_book = "plain"\n'
        'tax_rate_percent = "50"\neffective_from = 2026-11-01T00:00:00Z\n'
        '[[plans]]\nid = "p1"\naccount = "plan"\nkind = "https_requests"\nquantity = 4000000\n'
        "starts = 2026-11-01T00:00:00Z\nends = 2027-11-01T00:00:00Z\n"
        '[[plans]]\nid = "p2"\naccount = "ended"\nkind = "https_requests"\nquantity = 5000000\n'
        "starts = 2026-10-01T00:00:00Z\nends = 2026-11-01T00:00:00Z\n"
        '[[plans]]\nid = "p3"\naccount = "bought"\nkind = "data_transfer"\nquantity = 1\n'
        'price = "350.00"\nstarts = 2026-11-01T00:00:00Z\nends = 2027-11-01T00:00:00Z\n'
        '[[credits]]\nid = "c1"\naccount = "gifted"\namount = "400.00"\n'
        "starts = 2026-11-01T00:00:00Z\nends = 2026-12-01T00:00:00Z\n"
        '[[commitments]]\nid = "m1"\naccount = "bound"\namount = "800.00"\n'
        'settles = "month"\nstarts = 2026-11-01T00:00:00Z\nends = 2027-11-01T00:00:00Z\n',
    )
    for start, end in ((OCTOBER, NOVEMBER), (NOVEMBER, DECEMBER)):
        uses = [
            Use(domain=f"{name}.example", bytes_sent=0,
                requests=12_000_000 if (name, start) == ("usage", NOVEMBER) else 5_000_000)
            for name in CUSTOMERS
        ]  # fmt: skip
        world.use(start + timedelta(hours=30), *uses, through=end)
        world.rate(end)
        if start == OCTOBER:
            world.invoice("2026-10", end + timedelta(hours=4))
    return world


def test_changes_against_last_month_have_their_cause_and_their_parts_add_up(
    tmp_path: Path,
) -> None:
    found = look(two_months(tmp_path), "2026-11", WHEN)
    by_account = {one.account_id: one for one in found.changes}
    assert {name: one.cause for name, one in by_account.items()} == CAUSES
    for one in by_account.values():
        parts = one.by_usage + one.by_plan + one.by_price + one.by_correction + one.by_tax
        parts += one.by_credit + one.by_commitment + one.by_plan_price
        assert parts == one.change == one.total - one.total_before
    assert by_account["usage"].by_usage == parse_amount("700")
    assert by_account["plan"].by_plan == parse_amount("-400")
    assert by_account["ended"].by_plan == parse_amount("500")
    assert by_account["price"].by_price == parse_amount("1000")
    assert by_account["tax"].by_rate_of_tax == parse_amount("150")
    assert by_account["gifted"].by_credit == parse_amount("-400")
    assert by_account["bound"].by_commitment == parse_amount("300")
    assert by_account["bought"].by_plan_price == parse_amount("350")


def test_a_change_is_large_by_share_and_by_floor_both(tmp_path: Path) -> None:
    world = two_months(tmp_path)

    def large(**limits: Any) -> set[str]:
        found = look(world, "2026-11", WHEN, **limits)
        return {name for one in found.items if one.name == "changes" for name in one.accounts}

    agreed = {"gifted", "bound", "bought"}
    assert large() == {"usage", "plan", "price", "ended", *agreed}
    assert large(change_percent=20) == {"usage", "plan", "price", "ended", "tax", *agreed}
    assert large(change_floor="500.00") == {"usage", "price", "ended"}


def test_the_command_says_by_its_exit_code_whether_a_person_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = october(tmp_path)
    words = ["billing", "close", "--month", "2026-10", "--home", str(world.home)]
    words += ["--as-of", ISSUE.isoformat()]
    assert main(words) == 1
    assert "LOOK  no email: 2 accounts" in capsys.readouterr().out
    assert main([*words, "--approve", "Ada", "--reason", "new customers"]) == 0
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["needs_a_person"] is False
    assert document["totals"][0]["total"] == "10.14"
    assert main([*words, "--issue", "--by", "Bob"]) == 0
    with query.connect(world.home) as lake:
        taken = lake.execute("SELECT step, decided_by FROM close_steps").fetchall()
    assert taken == [("approved", "Ada"), ("issued", "Bob")]


def test_an_approval_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = str(october(tmp_path).home)
    assert main(["billing", "close", "--month", "2026-10", "--approve", "A", "--home", home]) == 1
    assert "--reason is blank" in capsys.readouterr().err


@pytest.mark.parametrize("crash", ["invoice-issued", "journal-after-append"])
def test_killed_on_its_way_and_run_again_it_has_issued_each_document_once(
    crash: str, tmp_path: Path
) -> None:
    world, whole = october(tmp_path / "a"), october(tmp_path / "b")
    for one in (world, whole):
        with (one.home / "edgetoll.toml").open("a", encoding="utf-8") as file:
            file.write(
                '\n[invoices]\nformats = ["json", "csv"]\n[invoices.close]\npolicy = "auto"\n'
                "requires = []\n"
            )
    words = ["billing", "close", "--month", "2026-10", "--issue", "--by", "Bob"]
    words += ["--as-of", ISSUE.isoformat(), "--home"]
    assert forked.run(*words, str(world.home), crash=crash) == -signal.SIGKILL
    assert main([*words, str(world.home)]) == 0
    assert main([*words, str(whole.home)]) == 0
    assert files(world) == files(whole)
    assert journal(world) == journal(whole)
