"""prune: fewer files and less usage, the same money, documents and checks, whoever is killed."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import edgetoll
from billing.appliers import open_store
from billing.commands.check import every_check
from billing.daemon import rounds
from billing.daemon.metrics import Board
from billing.lake import query
from billing.prune import merging
from billing.prune import plan as plans
from billing.prune.settings import PruneSettings, month_start
from billing.runs.import_hours import SeenFolders
from billing.store.session import TableRef
from edge.errors import ConflictError, Corrupt
from tests import forked
from tests.billing.filed import as_older_versions_wrote, refile
from tests.billing.homes import Use, close_hour, copied, load_text, make_home
from tests.billing.invoices.world import ACCOUNTS, BOOK
from tests.billing.runner import end_state, rate
from tests.effort import THOROUGH

HOUR = timedelta(hours=1)
OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
AT = datetime(2026, 2, 15, tzinfo=UTC)
SETTINGS = "\n[billing.prune]\nusage_months = 3\nmessage_months = 3\n"
USES = (Use(requests=400_000), Use(domain="a.beta.example", requests=70_000))
IN_THE_LAKE = "SELECT * FROM charges ORDER BY charge_id", "FROM transfers ORDER BY transfer_id"
PLACES = [
    "charges_merged-applied",
    "journal-after-append:2",
    "usage_pruned-committed",
    "messages_pruned-applied",
    "prune-messages",
    "prune-deleted",
]
MORE_PLACES = [
    "charges_merged-effects-written",
    "journal-before-append",
    "journal-after-append",
    "charges_merged-committed",
    "prune-merged",
    "prune-usage",
    "lake-built",
    "lake-published",
]


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October 2025 in five runs, one of them of late usage, and issued; November in two."""
    home = make_home(tmp_path_factory.mktemp("lasting"), book=BOOK, accounts=None)
    with (home / "edgetoll.toml").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    load_text(home, ACCOUNTS, at=OCTOBER)
    for number in range(3):
        close_hour(home, OCTOBER + number * HOUR, USES)
        rate(home, at=OCTOBER + (number + 1) * HOUR)
    close_hour(home, OCTOBER, [Use(requests=11)])
    rate(home, at=OCTOBER + 4 * HOUR)
    close_hour(home, NOVEMBER - HOUR, USES)
    rate(home, at=NOVEMBER)
    issue(home)
    for hour in (NOVEMBER, NOVEMBER + 9 * HOUR):
        close_hour(home, hour, USES)
        rate(home, at=hour + HOUR)
    return home


def issue(home: Path) -> None:
    """October's documents."""
    run("billing", "invoice", "--month", "2025-10", home=home, at=NOVEMBER + 4 * HOUR)


def run(*words: str, home: Path, at: datetime = AT) -> None:
    """An edgetoll command that ends well."""
    assert edgetoll.main([*words, "--home", str(home), "--as-of", at.isoformat()]) == 0


@pytest.fixture
def home(lasting: Path, tmp_path: Path) -> Path:
    """A copy of it, as billing left it."""
    return copied(lasting, tmp_path / "home")


@pytest.fixture(scope="module")
def pruned(lasting: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that was pruned."""
    home = copied(lasting, tmp_path_factory.mktemp("pruned") / "home")
    run("prune", "--yes", home=home)
    return home


def money(home: Path) -> dict[str, Any]:
    """What prune must not change: ledger, charges, balances, months, the lake's charges."""
    state = end_state(home)
    with query.connect(home, query=" ".join(IN_THE_LAKE)) as connection:
        lake = [connection.execute(one).fetchall() for one in IN_THE_LAKE]
    names = ("ledger", "charges", "balances", "months")
    documents = {path.name: path.read_bytes() for path in home.glob("invoices/*/*")}
    return {name: state[name] for name in names} | {"lake": lake, "documents": documents}


def red_checks(home: Path) -> list[str]:
    """The checks that are red, all of them made."""
    return [f"{one.check}: {one.found}" for one in every_check(home) if one.is_red]


def effects(home: Path) -> list[str]:
    """The files of charges, merged or not."""
    return sorted(path.name[9:] for path in home.glob("journal/effects/*charges.parquet"))


def rebuilt(home: Path) -> Path:
    """The home with a store made from its journal."""
    (home / "billing.duckdb").unlink()
    return home


def test_months_long_past_become_a_file_each_and_every_charge_is_as_before(
    lasting: Path, pruned: Path
) -> None:
    assert len(effects(lasting)) == 7
    assert effects(pruned) == ["merged_charges.parquet"] * 2
    assert money(pruned) == money(lasting)
    assert red_checks(pruned) == []


def test_the_store_made_from_the_journal_of_a_pruned_home_is_the_same(
    lasting: Path, pruned: Path, tmp_path: Path
) -> None:
    home = rebuilt(copied(pruned, tmp_path / "home"))
    assert money(home) == money(lasting)
    assert end_state(home)["usage"] == end_state(pruned)["usage"]
    close_hour(home, NOVEMBER + 10 * HOUR, USES)
    close_hour(pruned_again := copied(pruned, tmp_path / "other"), NOVEMBER + 10 * HOUR, USES)
    for one in (home, pruned_again):
        rate(one, at=NOVEMBER + 11 * HOUR)
    assert money(home) == money(pruned_again)
    assert red_checks(home) == []


def test_a_second_prune_finds_nothing(pruned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = end_state(pruned)["journal"]
    run("prune", "--yes", home=pruned)
    assert "Nothing to prune." in capsys.readouterr().out
    assert end_state(pruned)["journal"] == before


def test_nothing_is_done_that_nobody_agreed_to(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = end_state(home)
    for words in (("prune", "--dry-run"), ("prune",), ("prune", "--json")):
        run(*words, home=home)
    said = capsys.readouterr().out
    assert "charges of 2025-10: 5 files become one" in said
    assert "Nothing was deleted. To do it: edgetoll prune --yes" in said
    assert json.loads(said[said.index("{") :])["done"] is False
    assert (end_state(home), len(effects(home))) == (before, 7)


@pytest.mark.parametrize("place", [*PLACES, *MORE_PLACES] if THOROUGH else PLACES)
def test_g1_killed_at_any_step_and_run_again_it_ends_as_if_nobody_had(
    place: str, home: Path, pruned: Path
) -> None:
    words = ("prune", "--yes", "--home", str(home), "--as-of", AT.isoformat())
    assert forked.run(*words, crash=place) == -signal.SIGKILL
    run("prune", "--yes", home=home)
    assert (end_state(home), effects(home)) == (end_state(pruned), effects(pruned))
    assert red_checks(home) == []


def test_usage_goes_with_the_data_of_its_hours_and_certificates_stay(
    lasting: Path, pruned: Path
) -> None:
    data = [path.parent.name for path in sorted(pruned.glob("closed/hour=*/*.parquet"))]
    assert data == ["hour=2025-10-31T23", "hour=2025-11-01T00", "hour=2025-11-01T09"]
    assert len([*pruned.glob("closed/hour=*/*.json")]) == 7
    asked = "SELECT count(*) FROM usage_5min", "SELECT min(day)::VARCHAR FROM usage_daily"
    with query.connect(pruned, query=" ".join(asked)) as connection:
        assert connection.execute(asked[0]).fetchall() == [(6,)]
        assert connection.execute(asked[1]).fetchall() == [("2025-10-31",)]
    with query.connect(pruned, query="FROM imported_files") as connection:
        gone = connection.execute("SELECT count(*) FROM imported_files WHERE pruned").fetchall()
    assert gone == [(4,)]


OUTBOX = "SELECT * EXCLUDE (body) FROM outbox ORDER BY ALL"
TEXTS = (
    "SELECT happened_at < '2025-11-01', min(body = ''), max(body = '') FROM outbox"
    " GROUP BY ALL ORDER BY ALL"
)


def test_texts_of_old_messages_go_and_that_they_were_told_stays(
    lasting: Path, pruned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for home in (lasting, pruned, rebuilt(copied(pruned, tmp_path / "home"))):
        with open_store(home, owner="test", now=AT) as store:
            events = store.connection.execute(OUTBOX).fetchall()
            deliveries = store.connection.execute("FROM deliveries ORDER BY ALL").fetchall()
            told.append((events, deliveries, store.connection.execute(TEXTS).fetchall()))
    before, after, again = told
    assert after == again
    assert after[:2] == before[:2]
    assert before[2] == [(False, False, False), (True, False, False)]
    assert after[2] == [(False, False, False), (True, True, True)]
    edgetoll.main(["status", "--home", str(pruned)])
    said = " ".join(capsys.readouterr().out.split())
    assert "pruned: usage of before 2025-10-31, texts of messages of before 2025-11-01" in said


def test_the_daemon_prunes_once_the_nightly_checks_are_green_and_it_was_asked_to(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turn = rounds.Turn(home=home, board=Board(), seen=SeenFolders(), now=AT)
    rounds.prune(turn)
    assert capsys.readouterr().err == ""
    rounds.check(turn)
    rounds.prune(turn)
    assert "prunable" in capsys.readouterr().err
    assert len(effects(home)) == 7
    with (home / "edgetoll.toml").open("a", encoding="utf-8") as file:
        file.write("\n[billing.daemon]\nprune = true\n")
    rounds.prune(turn)
    turn.leave()
    assert '"pruned"' in capsys.readouterr().err
    assert effects(home) == ["merged_charges.parquet"] * 2
    assert red_checks(home) == []


def test_the_documents_of_a_pruned_month_are_written_again_byte_for_byte(
    lasting: Path, pruned: Path, tmp_path: Path
) -> None:
    home = copied(pruned, tmp_path / "home")
    for path in home.glob("invoices/*/*"):
        path.unlink()
    run("billing", "invoice", "--month", "2025-10", home=home, at=AT)
    assert money(home)["documents"] == money(lasting)["documents"] != {}


def test_g18_a_home_of_an_older_version_has_the_same_ledger_and_the_same_documents(
    lasting: Path, tmp_path: Path
) -> None:
    home = copied(lasting, tmp_path / "home")
    as_older_versions_wrote(home, "run_id", "journal_no", "term")
    for path in home.glob("invoices/*/*"):
        path.unlink()
    rate(home, at=AT)
    run("billing", "invoice", "--month", "2025-10", home=home, at=AT)
    before, after = money(lasting), money(home)
    assert after["ledger"] == before["ledger"]
    assert after["documents"] == before["documents"] != {}


def test_usage_of_a_month_that_is_on_no_invoice_waits(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = AT + timedelta(days=31)  # November is old enough then
    run("prune", "--yes", home=home, at=at)
    capsys.readouterr()
    run("prune", "--dry-run", "--json", home=home, at=at)
    assert "2025-11 of acme is on no invoice" in capsys.readouterr().out
    assert len([*home.glob("closed/hour=*/*.parquet")]) == 7
    assert effects(home) == ["merged_charges.parquet"] * 2


def test_late_usage_of_a_pruned_hour_waits_and_can_never_be_accepted(
    pruned: Path, tmp_path: Path
) -> None:
    home = copied(pruned, tmp_path / "home")
    before = money(home)["charges"]
    close_hour(home, OCTOBER, [Use(requests=5)])
    assert rate(home, at=OCTOBER + timedelta(days=50)).imported.too_old == 1
    assert money(home)["charges"] == before
    words = ["billing", "accept", "2025-10-01T00", "--reason", "found", "--home", str(home)]
    assert edgetoll.main(words) == 1
    assert edgetoll.main(["billing", "accept", "--reason", "found", "--home", str(home)]) == 0
    rate(home, at=AT)
    assert money(home)["charges"] == before


MOVED = """
[[domains]]
domain = "www.acme.example"
account = "beta"
effective_from = 2025-10-01T02:00:00Z
replaces = "{owned}"
why = "sold"
"""


def test_a_past_that_was_pruned_is_not_rated_again(pruned: Path, tmp_path: Path) -> None:
    home = copied(pruned, tmp_path / "home")
    before = money(home)
    plan = (
        '[[plans]]\nid = "late"\naccount = "acme"\nkind = "data_transfer"\nregion = "EU"\n'
        'quantity = "1 TB"\nstarts = {0}Z\nends = 2026-10-01T00:00:00Z\n'
    )
    with pytest.raises(ConflictError, match="usage of before 2025-10-31 was pruned"):
        load_text(home, plan.format("2025-10-02T00:00:00"), at=AT)
    assert money(home) == before
    load_text(home, plan.format("2025-11-02T00:00:00"), at=AT)
    card = (home / "prices" / "plain.toml").read_text(encoding="utf-8")
    corrected = (
        '\n[[card]]\nid = "https-2"\nitem = "https_requests"\nregion = "all"\n'
        'effective_from = 2025-10-02\nmodel = "per_unit"\nunit = "request"\nper = 10000\n'
        'price = "0.007"\ncorrects = "typing mistake"\n'
    )
    (home / "prices" / "plain.toml").write_text(card + corrected, encoding="utf-8")
    with pytest.raises(ConflictError, match="price corrected"):
        rate(home, at=AT)


def test_g24_a_file_of_charges_that_is_damaged_is_not_merged(home: Path) -> None:
    refile(home, "SELECT * REPLACE (amount + 1 AS amount) FROM filed")
    with pytest.raises(Corrupt, match="missing or changed"):
        open_store(home, owner="test", now=AT)


def test_what_was_merged_goes_only_once_the_merged_file_is_whole(home: Path) -> None:
    settings = PruneSettings()
    with open_store(home, owner="test", now=AT) as store:
        (first, _second) = plans.look(store, settings=settings, at=AT).merges
        number = merging.merge(store, first, at=AT)
        file = store.journal.effect_path(f"{number:08d}-merged_charges.parquet")
        file.write_bytes(file.read_bytes()[:-1] + b"?")
        with pytest.raises(Corrupt, match="missing or changed"):
            plans.carry_out(store, plans.look(store, settings=settings, at=AT), at=AT)
    assert effects(home).count("charges.parquet") == 7


def test_a_merge_whose_sums_are_not_those_of_its_file_is_no_record(home: Path) -> None:
    with open_store(home, owner="test", now=AT) as store:
        last = store.journal.last_no
        (first, _second) = plans.look(store, settings=PruneSettings(), at=AT).merges
        merging.merge(store, first, at=AT)
        (record,) = store.journal.of_kind("charges_merged")
        stated: Any = record.effects["merge"]
        stated["json"]["sums"][0]["amount"] += "0"
        with pytest.raises(Corrupt, match="its file has others"):
            store.commit(
                "charges_merged",
                {"merge": stated["json"], "merged_charges": TableRef("charges_to_merge")},
                at=AT,
            )
        assert store.journal.last_no == last + 1


def test_months_are_counted_in_utc_across_the_turn_of_a_year() -> None:
    assert month_start(AT) == datetime(2026, 2, 1, tzinfo=UTC)
    assert month_start(AT, months=2) == datetime(2025, 12, 1, tzinfo=UTC)
    assert month_start(AT, months=26) == datetime(2023, 12, 1, tzinfo=UTC)
