"""Every check sees the fault it is there for, and none cries over a sound store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from billing.appliers import open_store
from billing.checks import invariants
from billing.commands.check import check
from billing.ledger.top_up import top_up
from billing.money import SCALE
from tests.billing.filed import refile
from tests.billing.homes import NOW, START, Use, close_hours, copied, load_text, make_home
from tests.billing.runner import rate

# check: a change made behind the ledger's back that it must see
PLANTED = {
    "ledger_balances": "UPDATE balances SET cash = cash + 1 WHERE account_id = 'acme'",
    "ledger_sums_to_zero": (
        "INSERT INTO posted_transfers"
        " SELECT * REPLACE (credit_account AS debit_account) FROM posted_transfers LIMIT 1"
    ),
    "ledger_currencies": "UPDATE posted_transfers SET currency = 'EUR' WHERE transfer_id = 'evt_1'",
    "transfer_ids_once": "INSERT INTO posted_transfers SELECT * FROM posted_transfers LIMIT 1",
    "burn_equals_charges": "UPDATE account_burn SET payable_24_hours = payable_24_hours + 1",
    "credits_within": "UPDATE agreements SET amount = 1",
    "charges_equal_usage": "UPDATE usage SET requests = requests - 1 WHERE account_id = 'acme'",
    "https_facts_once": (
        "INSERT INTO https_fact_files"
        " VALUES ('fra-1', 2, repeat('0', 64), TIMESTAMP '2026-10-02', 0, 0, 1)"
    ),
    "imported_once": "INSERT INTO imported_files SELECT * FROM imported_files LIMIT 1",
    "imported_usage": "DELETE FROM usage WHERE account_id IS NULL",
    "ownership_overlaps": (
        "INSERT INTO domain_ownership VALUES"
        " ('x', 'www.acme.example', 'beta', TIMESTAMP '2026-10-02', NULL, 1)"
    ),
}
# check: what somebody makes of each file of charges that it must see
REFILED = {
    "charge_quantities": "SELECT * REPLACE (free_quantity + 1 AS free_quantity) FROM filed",
    "charge_revisions_once": "FROM filed UNION ALL FROM filed",
    "ledger_balances": "SELECT * REPLACE (amount + 1 AS amount) FROM filed",
    "ledger_currencies": "SELECT * REPLACE ('EUR' AS currency) FROM filed",
    "ledger_sums_to_zero": "SELECT * REPLACE"
    " (amount + (1::HUGEINT << 96)::DECIMAL(38, 0) AS amount) FROM filed",
    "runs_complete": "SELECT * FROM filed WHERE account_id <> 'beta'",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with accounts, a payment, a plan, a credit, rated hours, one correction."""
    home = make_home(tmp_path_factory.mktemp("sound"))
    with open_store(home, owner="test", now=START) as store:
        top_up(store, "acme", 5 * SCALE, key="evt_1", at=START)
    uses = [Use(), Use(domain="a.beta.example", requests=7, region="US"), Use(domain="no.example")]
    close_hours(home, START, 3, uses)
    rate(home)
    load_text(
        home,
        '[[plans]]\nid = "p1"\naccount = "acme"\nkind = "data_transfer"\nregion = "EU"\n'
        'quantity = "1 GB"\nstarts = 2026-10-01T00:00:00Z\nends = 2026-12-01T00:00:00Z\n'
        '[[credits]]\nid = "c1"\naccount = "acme"\namount = "5.00"\n'
        "starts = 2026-10-01T00:00:00Z\nends = 2026-12-01T00:00:00Z\n",
        at=NOW,
    )
    close_hours(home, START, 1, [Use(requests=11)])  # revision 1 of the first hour: late usage
    rate(home)
    return home


def test_a_sound_store_fails_no_check(sound: Path) -> None:
    with open_store(sound, owner="test", now=NOW) as store:
        assert invariants.run(store.connection) == []
        assert invariants.run(store.connection, scope=store.journal.last_no) == []
        revisions = store.connection.execute("SELECT max(revision) FROM charges").fetchall()
        assert revisions[0][0] > 0


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_g24_each_check_sees_what_it_is_there_for(name: str, sound: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    copied(sound, home)
    with open_store(home, owner="test", now=NOW) as store:
        store.connection.execute(PLANTED[name])
        failed = {failure.check: failure for failure in invariants.run(store.connection)}
        assert name in failed
        assert failed[name].about.endswith((".", ")."))
        assert failed[name].rows


@pytest.mark.parametrize("name", sorted(REFILED))
def test_g24_each_check_reads_the_files_of_charges(name: str, sound: Path, tmp_path: Path) -> None:
    home = copied(sound, tmp_path / "home")
    with open_store(home, owner="test", now=NOW) as store:
        refile(home, REFILED[name])
        assert name in {failure.check for failure in invariants.run(store.connection)}


def test_a_payment_under_the_id_of_a_charge_is_seen(sound: Path, tmp_path: Path) -> None:
    home = copied(sound, tmp_path / "home")
    with open_store(home, owner="test", now=NOW) as store:
        store.connection.execute(
            "UPDATE posted_transfers SET transfer_id = (SELECT min(charge_id) FROM charges)"
        )
        failed = {failure.check for failure in invariants.run(store.connection)}
        assert failed == {"transfer_ids_once"}


def test_every_check_of_money_has_a_planted_fault() -> None:
    mine = {name.rsplit("/", 1)[1] for name in invariants.names()}
    others = ("invoice", "rating", "account_state", "balance", "outbox")
    assert {name for name in mine if not name.startswith(others)} == {*PLANTED, *REFILED}


def test_g24_check_gives_a_verdict_for_programs_when_the_store_refuses_to_open(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = copied(sound, tmp_path / "home")
    journal = home / "journal" / "journal.jsonl"
    content = bytearray(journal.read_bytes())
    content[len(content) // 2] ^= 1
    journal.write_bytes(bytes(content))
    with pytest.raises(typer.Exit) as ended:
        check(home, as_json=True, quick=True)
    assert ended.value.exit_code == 1
    verdict = json.loads(capsys.readouterr().out)
    assert [broken["check"] for broken in verdict["broken"]] == ["billing_opens"]
    assert "journal record" in verdict["broken"][0]["rows"][0][0]
    noted = json.loads((home / "checks.json").read_text())["red"]
    assert "billing_opens: 1 row" in noted
    assert any(line.startswith("ledger_balances: it could not run: ") for line in noted)
