"""A statement of account for its customer: from balance to balance, by the days of its own zone,
the same in every form, and closing at what the ledger says.
"""

from __future__ import annotations

import csv
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.follow_up import follow_up
from billing.ledger.transfers import balance
from billing.money import format_amount
from billing.reports.statement import Statement, read
from billing.reports.statement_page import page
from edgetoll import main
from tests.billing.invoices.world import (
    ACCOUNTS,
    DECEMBER,
    ISSUE,
    World,
    made_once,
    october,
)

SHANGHAI = ACCOUNTS.replace('country = "DE"\n', 'country = "DE"\ntimezone = "Asia/Shanghai"\n', 1)
LATE = datetime(2026, 10, 2, 17, tzinfo=UTC)


@made_once
def moved(folder: Path) -> World:
    """October of an account in Shanghai: usage, a payment late in the UTC day, tax and cut."""
    world = october(folder, accounts=SHANGHAI)
    world.pay("acme", "50.00", "bank-1", LATE)
    world.invoice("2026-10", ISSUE)
    with open_store(world.home, owner="test", now=DECEMBER) as store:
        follow_up(store, at=DECEMBER)
    return world


def statement_of(world: World, month: str) -> Statement:
    """The statement of acme as the command reads it."""
    with open_store(world.home, owner="test", now=DECEMBER) as store:
        return read(store.connection, "acme", month=month, at=DECEMBER)


def test_each_movement_stands_on_the_day_of_the_accounts_own_zone(tmp_path: Path) -> None:
    found = statement_of(moved(tmp_path), "2026-10")
    (payment,) = [one for one in found.moves if one.what == "cash"]
    assert payment.day == (LATE + timedelta(hours=8)).date() == date(2026, 10, 3)
    assert found.start == datetime(2026, 9, 30, 16, tzinfo=UTC)


def test_a_month_opens_where_the_one_before_closed_and_ends_at_the_ledgers_balance(
    tmp_path: Path,
) -> None:
    world = moved(tmp_path)
    first, second = statement_of(world, "2026-10"), statement_of(world, "2026-11")
    assert first.closing == second.opening
    with open_store(world.home, owner="test", now=DECEMBER) as store:
        have = balance(store.connection, "acme")
    assert second.closing == have.cash + have.vouchers - have.charged


def test_the_question_of_the_library_says_the_same_of_every_account(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world = moved(tmp_path)
    output = tmp_path / "all.csv"
    words = ["query", "statement_of_account", "--param", "month=2026-10", "--param", "account=all"]
    assert main([*words, "-o", str(output), "--home", str(world.home)]) == 0
    rows = list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))
    mine = [row for row in rows if row["account_id"] == "acme"]
    found = statement_of(world, "2026-10")
    assert [(row["day"], row["what"], row["amount"]) for row in mine[1:-1]] == [
        (str(one.day), one.what, f"{one.amount / 10**10:.10f}") for one in found.moves
    ]
    assert f"{found.closing / 10**10:.10f}" == mine[-1]["balance"]
    assert {row["account_id"] for row in rows} == {"acme", "beta"}


def written(world: World, output: Path, *more: str) -> int:
    """`billing statement acme --month 2026-11 -o FILE`; its exit code."""
    words = ["billing", "statement", "acme", "--month", "2026-11", "-o", str(output), *more]
    return main([*words, "--home", str(world.home), "--as-of", DECEMBER.isoformat()])


def test_the_page_explains_tax_and_cut_and_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world, output = moved(tmp_path), tmp_path / "acme.html"
    assert written(world, output) == 0
    text = output.read_text(encoding="utf-8")
    closing = format_amount(statement_of(world, "2026-11").closing, "USD")
    assert "Tax of INV-USD-2026-000001" in text
    assert "Part of a cent of INV-USD-2026-000001, not asked for" in text
    assert f'<td class="figure">{closing}<' in text
    assert "Days are those of Asia/Shanghai" in text
    assert written(world, output) == 1
    assert "is there already" in capsys.readouterr().err
    assert written(world, tmp_path / "acme.xlsx") == 1
    assert "edgetoll query statement_of_account" in capsys.readouterr().err


def test_figures_of_a_column_stand_point_below_point(tmp_path: Path) -> None:
    world = moved(tmp_path)
    shown = page(statement_of(world, "2026-11"), [], world.settings)
    pairs = [(row.balance, row.balance_rest) for row in shown.rows]
    pairs += [(shown.opening, shown.opening_rest), (shown.closing, shown.closing_rest)]
    assert len({len((seen + unseen).partition(".")[2]) for seen, unseen in pairs}) == 1
    assert {unseen.strip("0") for _seen, unseen in pairs} == {""}
    assert any(unseen for _seen, unseen in pairs)
    assert len({len((row.amount + row.amount_rest).partition(".")[2]) for row in shown.rows}) == 1


@pytest.mark.needs_poppler
def test_the_pdf_says_what_the_page_says(tmp_path: Path) -> None:
    world, output = moved(tmp_path), tmp_path / "acme.pdf"
    assert written(world, output) == 0
    text = subprocess.run(
        ["pdftotext", "-layout", str(output), "-"], capture_output=True, text=True, check=True
    ).stdout
    closing = format_amount(statement_of(world, "2026-11").closing, "USD")
    for part in ("Statement of account", "Acme Video GmbH", "Tax of INV-USD-2026-000001", closing):
        assert part in text
