"""Payments in bulk: a file is posted whole or not at all, once per id; refused rows are named."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

import edgetoll
from billing.appliers import open_store
from billing.balance import figures
from billing.checks import invariants
from billing.ledger.transfers import balance, ledger_hash
from billing.money import SCALE
from tests import forked
from tests.billing.homes import NOW, START, Use, close_hours, load_text, make_home
from tests.billing.runner import end_state, rate

GOOD = "id,account,amount,kind\np-1,acme,12.50,\np-2,beta,1.00,voucher\np-3,acme,0.50,cash\n"
LINES = (
    '{"id": "p-1", "account": "acme", "amount": "12.50"}\n'
    '{"id": "p-2", "account": "beta", "amount": "1.00", "kind": "voucher", "currency": "USD"}\n\n'
    '{"id": "p-3", "account": "acme", "amount": "0.50"}\n'
)


@pytest.fixture(scope="module")
def owing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose two accounts owe for three hours, and are overdue."""
    home = make_home(tmp_path_factory.mktemp("owing"))
    close_hours(home, START, 3, [Use(), Use(domain="a.beta.example", requests=9, region="US")])
    rate(home)
    return home


@pytest.fixture
def home(owing: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(owing, tmp_path / "home")


def command(home: Path, text: str, name: str = "payments.csv", *more: str) -> list[str]:
    """The words that load `text` as a file."""
    path = home.parent / name
    path.write_text(text, encoding="utf-8")
    return ["billing", "load", str(path), "--as-of", NOW.isoformat(), "--home", str(home), *more]


@pytest.mark.parametrize(("name", "text"), [("p.csv", GOOD), ("p.jsonl", LINES)])
def test_a_file_of_payments_is_posted_once_in_one_record(
    name: str, text: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for new in (3, 0):
        assert edgetoll.main(command(home, text, name, "--json")) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["new"], said["known"]) == ({"payments": new}, {"payments": 3 - new})
    with open_store(home, owner="test", now=NOW) as store:
        kinds = [record.kind for record in store.journal.records()]
        assert kinds.count("payments") == 1
        acme, beta = (balance(store.connection, one) for one in ("acme", "beta"))
        assert (acme.cash, beta.cash, beta.vouchers) == (13 * SCALE, 0, SCALE)
        states = store.connection.execute(
            "SELECT state, journal_no FROM account_state WHERE account_id = 'acme'"
        ).fetchall()
        assert states == [("ok", kinds.index("payments") + 1)], "cleared by the record that pays"
        assert invariants.run(store.connection) == []


REFUSED = {
    "there is no account": "q-1,nobody,1.00,,",
    "is billed in USD": "q-2,acme,1.00,,EUR",
    "smallest amount": "q-3,acme,0.001,,",
    "not positive": "q-4,acme,-1.00,,",
    "stands twice": "p-3,acme,0.51,,",
    "was posted with": "old,acme,9.00,,",
    "is none of": "q-5,acme,1.00,refund,",
    "not an amount": "q-6,acme,1e3,,",
    "has no id": ",acme,1.00,,",
    "could be taken": "q\u200b7,acme,1.00,,",
}


def test_each_refused_row_is_named_and_nothing_is_posted(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = ["billing", "top-up", "acme", "8.00", "--id", "old", "--as-of", NOW.isoformat()]
    assert edgetoll.main([*old, "--home", str(home)]) == 0
    before = end_state(home)
    capsys.readouterr()
    rows = "id,account,amount,kind,currency\np-3,acme,0.50,,\n" + "\n".join(REFUSED.values())
    assert edgetoll.main(command(home, rows, "p.csv", "--json")) == 1
    said = capsys.readouterr()
    refused = {one["line"]: one["problem"] for one in json.loads(said.out)["refused"]}
    assert list(refused) == list(range(3, 3 + len(REFUSED)))
    for problem, reason in zip(refused.values(), REFUSED, strict=True):
        assert reason in problem
    assert "10 of 11 payments are refused, so none was posted" in said.err
    assert edgetoll.main(command(home, rows)) == 1
    assert "line 3: there is no account" in capsys.readouterr().err
    assert end_state(home) == before


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("p.csv", "id,account,amount,iban\n", "have the columns"),
        ("p.csv", "id,amount\np,1\n", "have the columns"),
        ("p.csv", "id,account,amount\n", "has no rows"),
        ("p.jsonl", "\n", "has no rows"),
        ("p.jsonl", "[1]\n", "none of id, account"),
        ("p.jsonl", '{"id": "p", "account": "acme", "amount": 1.5}\n', "is not text"),
    ],
)
def test_what_is_no_file_of_payments_is_said(
    name: str, text: str, why: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert edgetoll.main(command(home, text, name)) == 1
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    "place", ["payments-effects-written", "journal-after-append", "payments-committed"]
)
def test_g1_a_load_killed_at_any_step_and_run_again_posts_each_payment_once(
    place: str, home: Path
) -> None:
    words = command(home, GOOD)
    assert forked.run(*words, crash=place) == -signal.SIGKILL
    assert edgetoll.main(words) == 0
    with open_store(home, owner="test", now=NOW) as store:
        posted = store.connection.execute(
            "SELECT transfer_id, amount FROM posted_transfers ORDER BY 1"
        ).fetchall()
        assert posted == [("p-1", 125 * SCALE // 10), ("p-2", SCALE), ("p-3", SCALE // 2)]
        whole = ledger_hash(store.connection)
    (home / "billing.duckdb").unlink()
    with open_store(home, owner="test", now=NOW) as store:
        assert ledger_hash(store.connection) == whole
        assert invariants.run(store.connection) == []


def test_more_accounts_than_are_measured_apart_are_cleared_by_the_record_too(home: Path) -> None:
    names = [f"many-{n}" for n in range(figures.APART_MAX + 1)]
    load_text(
        home,
        "".join(
            f'[[accounts]]\nid = "{name}"\nname = "x"\ncurrency = "USD"\nprice_book = "plain"\n'
            for name in names
        ),
        at=NOW,
    )
    rows = "".join(f"m-{name},{name},2.00\n" for name in [*names, "acme"])
    assert edgetoll.main(command(home, f"id,account,amount\n{rows}")) == 0
    with open_store(home, owner="test", now=NOW) as store:
        found = store.connection.execute(
            "SELECT sum(cash) FROM balances WHERE account_id LIKE 'many-%'"
        ).fetchall()
        assert found == [(2 * SCALE * len(names),)]
        (number,) = (one.number for one in store.journal.records() if one.kind == "payments")
        states = store.connection.execute(
            "SELECT account_id, state FROM account_state_history WHERE journal_no = $1", [number]
        ).fetchall()
        assert states == [("acme", "ok")]
