"""Rating runs: what they import, refuse, hold and correct; the rows F and G of FAULTS."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from billing.appliers import open_store
from billing.checks import invariants, red
from billing.follow_up import check_record
from billing.money import SCALE, parse_amount
from billing.prices import load_books
from billing.rating.records import HeldHour
from billing.runs import run
from billing.runs.records import RunOutcome, held_lines
from billing.runs.settings import read_settings
from edge.errors import ConflictError, Corrupt, InputError
from edgetoll import main
from tests.billing.filed import refile
from tests.billing.homes import (
    ACCOUNTS,
    BOOK,
    EXAMPLES,
    NOW,
    START,
    THOROUGH,
    Use,
    close_hour,
    close_hours,
    load_text,
    make_home,
)
from tests.billing.runner import end_state, posted

HOUR = timedelta(hours=1)
HOURS = 24 * 15 if THOROUGH else 24 * 2


def release(home: Path, run_id: str, reason: str = "checked") -> run.RunOutcome:
    """What `edgetoll billing release` does."""
    books = load_books(home / "prices")
    with open_store(home, owner="test", now=NOW) as store:
        return run.release(
            store, run_id, reason=reason, books=books, settings=read_settings(home), at=NOW
        )


def charged(home: Path, account: str) -> dict[str, int]:
    """Quantity charged per item of an account, over all revisions."""
    with open_store(home, owner="test", now=NOW) as store:
        rows = store.connection.execute(
            "SELECT item, sum(quantity) FROM charges WHERE account_id = $a GROUP BY item",
            {"a": account},
        ).fetchall()
        assert invariants.run(store.connection) == []
    return {item: int(quantity) for item, quantity in rows}


def set_breaker(home: Path, text: str) -> None:
    """Other settings of the breaker."""
    (home / "edgetoll.toml").write_text(f"[billing]\n{text}\n", encoding="utf-8")


def test_g7_an_hour_that_has_not_ended_is_not_rated(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 3, [Use()])
    done = posted(home, at=START + 2 * HOUR)
    assert (done.state, done.through, done.imported.future) == ("done", START + 2 * HOUR, 1)
    assert charged(home, "acme")["https_requests"] == 2000
    with pytest.raises(InputError, match="has not passed"):
        posted(home, at=START + 2 * HOUR, through=START + 3 * HOUR)
    assert posted(home, at=START + 3 * HOUR).state == "done"
    assert charged(home, "acme")["https_requests"] == 3000


def test_without_a_closed_hour_a_run_waits(tmp_path: Path) -> None:
    assert posted(make_home(tmp_path)).state == "waiting"


def test_g8_a_three_week_backfill_shows_its_total_first_and_is_idempotent(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, HOURS, [Use(requests=10, bytes_sent=1000)])
    dry = posted(home, dry_run=True)
    assert dry.state == "dry"
    assert dry.totals[0].periods == HOURS
    assert charged(home, "acme") == {}
    assert posted(home).totals == dry.totals
    assert posted(home).state == "nothing"
    assert charged(home, "acme")["https_requests"] == HOURS * 10


def test_g8_f8_an_absurd_run_is_held_until_a_person_releases_it(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    set_breaker(home, 'breaker_floor = "0"')
    for number in range(4):
        close_hour(home, START + number * HOUR, [Use(bytes_sent=0)])
        assert posted(home).state == "done"
    close_hour(home, START + 4 * HOUR, [Use(requests=10_000_000, bytes_sent=0)])
    held = posted(home)
    assert held.state == "held"
    assert "more than 10 times the trailing median" in held.reason
    again = posted(home)
    assert (again.state, again.run_id, again.journal_no) == ("held", held.run_id, None)
    assert charged(home, "acme")["https_requests"] == 4000
    with pytest.raises(InputError, match="needs a reason"):
        release(home, held.run_id or "", reason=" ")
    with pytest.raises(InputError, match="no run 'R9'"):
        release(home, "R9")
    done = release(home, held.run_id or "")
    assert done.state == "done"
    assert charged(home, "acme")["https_requests"] == 10_004_000
    with pytest.raises(ConflictError, match="is released, not held"):
        release(home, held.run_id or "")
    assert posted(home).state == "nothing"


def test_a_held_run_whose_total_changed_is_not_released_unseen(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    set_breaker(home, 'breaker_caps = { USD = "1.00" }')
    close_hour(home, START, [Use(requests=2_000_000, bytes_sent=0)])
    held = posted(home)
    assert held.state == "held"
    close_hour(home, START, [Use(requests=5, bytes_sent=0)])  # late usage of the held hour
    second = posted(home)
    assert second.run_id != held.run_id
    with pytest.raises(ConflictError, match="superseded"):
        release(home, held.run_id or "")
    release(home, second.run_id or "")
    assert charged(home, "acme")["https_requests"] == 2_000_005


def test_a_held_run_is_posted_without_a_person_once_it_is_usual(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    set_breaker(home, 'breaker_caps = { USD = "1.00" }')
    close_hour(home, START, [Use(requests=2_000_000, bytes_sent=0)])
    assert posted(home).state == "held"
    set_breaker(home, 'breaker_caps = { USD = "10.00" }')
    assert posted(home).state == "done"
    with open_store(home, owner="test", now=NOW) as store:
        states = store.connection.execute("SELECT state FROM runs ORDER BY journal_no").fetchall()
    assert states == [("superseded",), ("done",)]


def test_g9_late_usage_before_the_invoice_is_a_new_revision_with_its_reason(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 3, [Use()])
    posted(home)
    close_hour(home, START + HOUR, [Use(requests=17, bytes_sent=0)])
    posted(home)
    with open_store(home, owner="test", now=NOW) as store:
        rows = store.connection.execute(
            "SELECT period_start, quantity, revision, reason FROM charges"
            " WHERE revision > 0 AND item = 'https_requests'"
        ).fetchall()
    assert rows == [((START + HOUR).replace(tzinfo=None), 17, 1, "late usage")]
    assert charged(home, "acme")["https_requests"] == 3017


def test_f1_f2_a_domain_claimed_later_is_charged_from_the_claim_hour(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 4, [Use(domain="new.example", requests=100), Use()])
    posted(home)
    assert charged(home, "beta") == {}
    load_text(
        home,
        '[[domains]]\ndomain = "new.example"\naccount = "beta"\n'
        "effective_from = 2026-10-01T02:00:00Z\n",
        at=NOW,
    )
    posted(home)
    assert charged(home, "beta")["https_requests"] == 200
    assert charged(home, "acme")["https_requests"] == 4000


def test_f3_f4_a_domain_that_moves_is_split_at_the_five_minute_edge(tmp_path: Path) -> None:
    """www.acme.example ends at 01:30, is nobody's until 02:00 and beta's from then."""
    home = make_home(tmp_path)
    uses = [Use(minute=minute, requests=1, bytes_sent=10) for minute in range(0, 60, 5)]
    close_hours(home, START, 4, uses)
    posted(home)
    assert charged(home, "acme")["https_requests"] == 48
    load_text(
        home,
        '[[domains]]\ndomain = "www.acme.example"\naccount = "acme"\n'
        "effective_to = 2026-10-01T01:30:00Z\n"
        '[[domains]]\ndomain = "www.acme.example"\naccount = "beta"\n'
        "effective_from = 2026-10-01T02:00:00Z\n",
        at=NOW,
    )
    posted(home)
    assert charged(home, "acme")["https_requests"] == 12 + 6
    assert charged(home, "beta")["https_requests"] == 24
    with open_store(home, owner="test", now=NOW) as store:
        nobody = store.connection.execute(
            "SELECT sum(requests) FROM usage WHERE account_id IS NULL"
        ).fetchall()
    assert nobody == [(6,)]


def test_f6_f7_a_price_is_never_edited_after_use(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 1, [Use()])
    posted(home)
    before = end_state(home)
    path = home / "prices" / "plain.toml"
    path.write_text(BOOK.replace('price = "0.01"', 'price = "0.02"'), encoding="utf-8")
    close_hour(home, START + HOUR, [Use()])
    with pytest.raises(ConflictError, match="https-1"):
        posted(home)
    path.write_text(BOOK, encoding="utf-8")
    assert end_state(home)["ledger"] == before["ledger"]
    assert posted(home).state == "done"


def test_f11_an_hour_without_a_price_is_not_rated_and_named(tmp_path: Path) -> None:
    """The book has a card for the item, but none in force: that hour waits, never zero."""
    late = BOOK.replace(
        'item = "https_requests"\nregion = "all"\neffective_from = 2020-01-01',
        'item = "https_requests"\nregion = "all"\neffective_from = 2026-10-01T02:00:00Z',
    )
    assert late != BOOK
    home = make_home(tmp_path, book=late)
    close_hours(home, START, 3, [Use(bytes_sent=0)])
    done = posted(home)
    assert {hour.hour for hour in done.held_hours} >= {START, START + HOUR}
    assert {hour.account_id for hour in done.held_hours} == {"acme"}
    (home / "prices" / "plain.toml").write_text(
        late + '\n[[card]]\nid = "https-0"\nitem = "https_requests"\nregion = "all"\n'
        'effective_from = 2020-01-01\nmodel = "per_unit"\nunit = "request"\nper = 10000\n'
        'price = "0.03"\ncorrects = "it was missing"\n',
        encoding="utf-8",
    )
    assert posted(home).held_hours == ()
    assert charged(home, "acme")["https_requests"] == 3000


@pytest.mark.parametrize("seed", range(EXAMPLES // 3))
def test_p4_order_lateness_and_splitting_of_runs_change_nothing(seed: int, tmp_path: Path) -> None:
    """The same usage, cut into hours and revisions at random, rated whenever: one ledger by account
    and item, and one oracle: a sum."""
    chance = random.Random(seed)
    truth: dict[str, int] = {"acme": 0, "beta": 0}
    home = make_home(tmp_path, accounts=ACCOUNTS)
    waiting = []
    for number in range(16):
        requests = chance.randrange(1, 5000)
        account = chance.choice(["acme", "beta"])
        truth[account] += requests
        domain = "www.acme.example" if account == "acme" else f"h{number}.beta.example"
        use = Use(domain=domain, requests=requests, bytes_sent=chance.randrange(10**9))
        waiting.append((START + chance.randrange(6) * HOUR, use))
    end = START + 6 * HOUR
    for hour, use in waiting:
        close_hour(home, hour, [use], complete_through=end)
        if chance.random() < 0.25:
            posted(home)
    posted(home)
    assert {name: charged(home, name)["https_requests"] for name in truth} == truth
    with open_store(home, owner="test", now=NOW) as store:
        amounts = dict(
            store.connection.execute(
                "SELECT account_id, sum(amount) FROM charges"
                " WHERE item = 'https_requests' GROUP BY 1"
            ).fetchall()
        )
    price = parse_amount("0.01")
    assert amounts == {name: count * price // 10_000 for name, count in truth.items()}


def test_a_red_check_is_written_down_before_accounts_are_judged(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 1, [Use()])
    books = load_books(home / "prices")
    with open_store(home, owner="test", now=NOW) as store:
        done = run.rate(store, books=books, settings=read_settings(home), at=NOW)
        assert check_record(store, done.journal_no, at=NOW) is None
        refile(home, "SELECT * REPLACE (free_quantity + 1 AS free_quantity) FROM filed")
        assert "charge_quantities is red" in (check_record(store, done.journal_no, at=NOW) or "")
    assert "charge_quantities" in (home / "checks.json").read_text()


def test_charges_debit_the_customer_and_credit_revenue_to_the_unit(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 1, [Use(requests=12_345, bytes_sent=0)])
    posted(home)
    with open_store(home, owner="test", now=NOW) as store:
        rows = store.connection.execute(
            "SELECT debit_account, credit_account, amount, code, effective_at FROM transfers"
        ).fetchall()
    wanted = 12_345 * SCALE // 100 // 10_000
    hour = (START + HOUR).replace(tzinfo=None)
    assert rows == [("customer:acme:funds", "revenue:https_requests", wanted, "charge", hour)]


def test_a_journal_file_that_does_not_say_what_was_posted_is_found_at_once(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    close_hours(home, START, 3, [Use()])
    done = posted(home)
    assert done.journal_no is not None
    with open_store(home, owner="test", now=NOW) as store:
        file = store.journal.effect_path(f"{done.journal_no:08d}-charges.parquet")
        run._read_back(store, done.journal_no, done.totals)
        table = pq.read_table(file)
        pq.write_table(table.slice(1), file)
        with pytest.raises(Corrupt, match="posted"):
            run._read_back(store, done.journal_no, done.totals)


def test_a_released_run_is_held_against_the_checks_like_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run stands in the store whose charges do not: the release says so and exits 1."""
    home = make_home(tmp_path)
    set_breaker(home, 'breaker_caps = { USD = "1.00" }')
    close_hour(home, START, [Use(requests=2_000_000, bytes_sent=0)])
    held = posted(home)
    with open_store(home, owner="test", now=NOW) as store:
        store.connection.execute(
            "INSERT INTO runs VALUES ('R9', 'test', $1, 'done', $1, 0, 5, 1, '{}', '', 1000)",
            [START.replace(tzinfo=None)],
        )
    words = ["release", str(held.run_id), "--reason", "seen", "--as-of", NOW.isoformat()]
    assert main(["billing", *words, "--home", str(home)]) == 1
    assert "check runs_complete is red after record" in capsys.readouterr().err
    assert red.read(home).names == ("runs_complete",)


def test_hours_that_are_not_rated_are_told_by_their_causes_not_one_by_one() -> None:
    def held(account: str, day: int, hour: int) -> HeldHour:
        at = datetime(2026, 10, day, hour, tzinfo=UTC)
        return HeldHour(account_id=account, hour=at, problem="no card", hint="add one")

    many = [held("acme", day, hour) for day in range(1, 5) for hour in range(24)]
    done = RunOutcome(state="done", held_hours=(*many, held("beta", 9, 3)), held_count=2_097)
    assert held_lines(done) == [
        "Not rated: acme, 96 hours from 2026-10-01T00:00Z: no card. add one",
        "Not rated: beta, 1 hour, 2026-10-09T03:00Z: no card. add one",
        "… and 2,000 more account-hours are not rated.",
    ]
