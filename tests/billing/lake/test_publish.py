"""The lake: exact, whole at every moment, cheap to publish again, and rebuilt when it is gone."""

from __future__ import annotations

import os
import shutil
import threading
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

import sql
from billing.appliers import open_store
from billing.follow_up import follow_up
from billing.lake import query
from billing.lake.charges import JOINED_ROWS_MAX, Part, joined
from billing.lake.publish import current, not_of_this_store, publish
from billing.lake.tables import TABLES
from billing.lake.version import described, pointer_bytes
from billing.ledger.top_up import top_up
from billing.money import SCALE
from edge.errors import Corrupt, EdgetollError
from tests.billing.conftest import World
from tests.billing.homes import (
    ACCOUNTS,
    NOW,
    START,
    Use,
    close_hour,
    close_hours,
    copied,
    load_text,
    make_home,
)
from tests.billing.runner import published, rate

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def two_hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hours of acme, charged and published."""
    home = make_home(tmp_path_factory.mktemp("charged"))
    close_hours(home, START, 2, [Use()])
    rate(home)
    return home


@pytest.fixture
def charged(two_hours: Path, tmp_path: Path) -> Path:
    """A copy of that home."""
    return copied(two_hours, tmp_path / "home")


def ask(home: Path, text: str) -> list[tuple[object, ...]]:
    """What `edgetoll sql` gives."""
    connection = query.connect(home, query=text)
    try:
        return connection.execute(text).fetchall()
    finally:
        connection.close()


def file_numbers(home: Path, table: str) -> set[int]:
    """The inodes of a table's files in the current version."""
    version = current(home)
    assert version is not None
    return {path.stat().st_ino for path in (version.folder / table).glob("*.parquet")}


def test_money_is_an_exact_decimal_and_counts_are_whole_numbers(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    huge = 9_007_199_254_740_993 * 10**10 + 10**8
    with open_store(home, owner="test", now=NOW) as store:
        top_up(store, "acme", huge, key="huge", at=NOW)
        publish(store)
        version = current(home)
        assert version is not None
        for path in version.folder.rglob("*.parquet"):
            for field in pq.read_schema(path):
                assert str(field.type) not in ("double", "float"), (path.name, field.name)
    exact = Decimal("9007199254740993.0100000000")
    assert ask(home, "SELECT amount FROM transfers") == [(exact,)]
    assert ask(home, "SELECT cash, available FROM accounts WHERE account_id = 'acme'") == [
        (exact, exact)
    ]
    assert ask(home, "SELECT sum(amount) FROM ledger_entries") == [(Decimal(0),)]


def content(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table of the lake, as readers have it: sums by the day are in several files, and what
    is open belongs to them.
    """
    views = {"usage_daily": "usage_daily", "usage_hourly": "usage_hourly",
             "bandwidth_hourly": "bandwidth_hourly"}  # fmt: skip
    tables = [one for one in TABLES if not one.kept.startswith("open")]
    named = " ".join(f"{one.name} {one.relation}" for one in tables) + " charges_daily_parts"
    with query.connect(home, query=named) as connection:
        found = {
            one.name: connection.table(views.get(one.name, one.relation)).order("ALL").fetchall()
            for one in tables
        }
        by_day = connection.table("charges_daily_parts")
        keys = ", ".join([*by_day.columns[:6], "rate_card", "max(period_end)"])
        added = (name for name in by_day.columns[6:] if name not in keys)
        counts = ", ".join(f"sum({name})" for name in added)
        return found | {
            "charges_daily": by_day.aggregate(f"{keys}, {counts}").order("ALL").fetchall()
        }


def pay(home: Path, account: str, key: str) -> None:
    """A payment and what follows it."""
    with open_store(home, owner="test", now=NOW) as store:
        top_up(store, account, SCALE, key=key, at=NOW)
        follow_up(store, at=NOW, accounts=(account,))


def test_a_version_made_by_difference_is_the_one_written_anew(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 2, [Use(), Use(domain="a.beta.example")])
    rate(home)
    more = ACCOUNTS.replace("acme", "gamma").partition('[[accounts]]\nid = "beta"')[0]
    steps = (
        lambda: pay(home, "acme", "1"),
        lambda: pay(home, "beta", "2"),
        lambda: load_text(home, f'{more}[[domains]]\ndomain = "g.example"\naccount = "gamma"\n'),
        lambda: pay(home, "gamma", "3"),
        lambda: (close_hour(home, START + 2 * HOUR, [Use()]), rate(home)),
        lambda: pay(home, "acme", "4"),
    )
    for number, step in enumerate(steps):
        step()
        published(home)
        anew = copied(home, tmp_path / f"anew-{number}")
        shutil.rmtree(anew / "lake")
        assert content(published(anew)) == content(home), f"step {number}"


OPEN = ("usage_open", "charges_open")
SUMS_LIKE_DETAILS = """
SELECT
    (SELECT sum(requests) FROM usage_hourly) = d.requests,
    (SELECT sum(requests) FROM usage_daily) = d.requests,
    (SELECT sum(from_00) FROM bandwidth_hourly) = d.bytes_sent,
    p.amount = c.amount,
    p.charges = c.charges
FROM (
    SELECT
        sum(requests) AS requests,
        sum(bytes_sent) FILTER (minute(bucket) = 0) AS bytes_sent
    FROM usage_5min
) AS d
CROSS JOIN (SELECT sum(amount) AS amount, sum(charges) AS charges FROM charges_daily_parts) AS p
CROSS JOIN (SELECT sum(amount) AS amount, count(*) AS charges FROM charges) AS c
"""


def test_sums_are_brought_up_by_sixes_and_readers_see_each_hour_once(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    written = set()
    for number in range(8):
        close_hour(home, START + number * HOUR, [Use(), Use(domain="a.beta.example")])
        rate(home)
        version = current(home)
        assert version is not None
        for table in ("usage_hourly", "usage_daily", "bandwidth_hourly", "charges_daily"):
            written |= {one.path for one in version.of(table)}
        opened = [
            sum(one.rows > 0 for one in version.of(f"{name}_open")) for name in ("usage", "charges")
        ]
        assert opened == [number % 6] * 2, number
        assert ask(home, SUMS_LIKE_DETAILS) == [(True,) * 5], number
    assert len(written) == 8  # each table twice, not eight times
    anew = copied(home, tmp_path / "anew")
    shutil.rmtree(anew / "lake")
    assert content(published(anew)) == content(home)


def test_g22_terms_that_came_into_force_are_in_a_version_made_by_difference(tmp_path: Path) -> None:
    """A load of one account shows the terms of another that are due by then."""
    home = make_home(tmp_path)
    close_hours(home, START, 2, [Use()])
    beta = '[[accounts]]\nid = "beta"\nname = "Beta"\ncurrency = "USD"\nprice_book = "plain"\n'
    load_text(home, f'{beta}credit_limit = "5.00"\neffective_from = 2026-10-21T00:00:00Z\n', at=NOW)
    rate(home)
    load_text(home, beta.replace("beta", "gamma"), at=NOW + 48 * HOUR)
    published(home)
    assert ask(home, "SELECT credit_limit FROM accounts WHERE account_id = 'beta'") == [(5,)]
    anew = copied(home, tmp_path / "anew")
    shutil.rmtree(anew / "lake")
    assert content(published(anew)) == content(home)


def test_a_payment_writes_the_rows_of_who_paid_and_links_the_rest(charged: Path) -> None:
    home = charged
    pay(home, "acme", "1")  # which clears its state, and is told
    before = current(home)
    pay(home, "acme", "2")
    after = current(home)
    assert before is not None
    assert after is not None
    same = {one.path for one in after.files} & {one.path for one in before.files}
    assert all(os.path.samefile(before.folder / path, after.folder / path) for path in same)
    rows = {one.path.partition("/")[0]: one.rows for one in after.files if one.path not in same}
    assert rows == {"account_states": 1, "accounts": 1, "transfers": 1}


def test_every_table_exists_typed_before_anything_was_charged(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    bare = tmp_path / "bare"
    bare.mkdir()
    views = [name.rsplit("/", 1)[1] for name in sql.names("views")]
    with query.connect(bare) as connection:
        for view in views:
            assert connection.execute(f"DESCRIBE {view}").fetchall(), view
    with open_store(home, owner="test", now=NOW) as store:
        publish(store)
    with query.connect(home) as connection:
        for view in views:
            assert connection.table(view).limit(1).fetchall() is not None


def test_the_lake_has_the_same_shape_before_and_after_it_is_published(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    bare = tmp_path / "bare"
    shapes = []
    views = [name.rsplit("/", 1)[1] for name in sql.names("views")]
    for one in (bare, home):
        close_hours(one, START, 2, [Use()])
        rate(home)
        connection = query.connect(one)
        shapes.append(
            {
                view: [row[:2] for row in connection.execute(f"DESCRIBE {view}").fetchall()]
                for view in views
            }
        )
    assert shapes[0] == shapes[1]


def test_a_new_version_shares_what_did_not_change(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    for day in range(3):
        close_hours(home, START + day * 24 * HOUR, 2, [Use()])
    rate(home)
    days = file_numbers(home, "usage_5min")
    version = current(home)
    close_hour(home, START + 3 * 24 * HOUR, [Use()])
    rate(home)
    after = current(home)
    assert version is not None
    assert after is not None
    assert after.number > version.number
    assert days < file_numbers(home, "usage_5min")
    domains = [one.paths("domains")[0] for one in (version, after)]
    assert domains[0].stat().st_ino == domains[1].stat().st_ino


def test_runs_do_not_pile_up_files(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    for number in range(10):
        close_hour(home, START + number * HOUR, [Use(requests=number + 1)])
        with open_store(home, owner="test", now=START) as store:
            top_up(store, "acme", SCALE, key=f"p-{number}", at=START)
        rate(home, at=START + (number + 1) * HOUR)
    assert len(file_numbers(home, "transfers")) <= 6
    assert len(file_numbers(home, "charges")) == 5, "six joined, and the journal's own of four runs"
    assert len(file_numbers(home, "usage_hourly")) < 6
    assert len(file_numbers(home, "usage_daily")) < 6
    assert len(file_numbers(home, "charges_daily")) < 6
    charged = "SELECT count(*), sum(quantity) FROM charges WHERE item = 'https_requests'"
    assert ask(home, charged) == [(10, 55)]
    assert ask(home, "SELECT sum(requests) FROM usage_hourly") == [(55,)]
    version = current(home)
    assert version is not None
    (joined,) = (path for path in version.paths("charges") if ".joined." in path.name)
    joined.write_bytes(joined.read_bytes()[:-1])
    with pytest.raises(Corrupt, match=joined.name):
        ask(home, charged)
    rate(home, at=START + 10 * HOUR)
    assert ask(home, charged) == [(10, 55)]


@pytest.mark.parametrize("rows", [0, 1, 30_000, 400_000, 3_000_000])
def test_a_month_of_runs_is_few_files_and_each_charge_in_one(rows: int) -> None:
    parts = [
        Part(first=number, last=number, rows=rows * (1 + number % 2), files=())
        for number in range(1, 745)
    ]
    found: list[Part] = []
    for part in parts:
        found = joined([*found, part])
    assert found == joined(parts), "whether a run at a time or all at once"
    assert [one.first for one in found] == [1, *(one.last + 1 for one in found[:-1])]
    assert found[-1].last == 744
    assert all(one.rows <= JOINED_ROWS_MAX for one in found if one.first < one.last)
    assert len(found) < (45 if rows <= 30_000 else 745)


def test_a_domain_that_moved_is_written_again_with_its_new_owner(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 2, [Use(domain="new.example", requests=5), Use()])
    rate(home)
    assert ask(home, "SELECT sum(requests) FROM usage_daily WHERE account_id = 'beta'") == [(None,)]
    load_text(home, '[[domains]]\ndomain = "new.example"\naccount = "beta"\n', at=NOW)
    rate(home)
    assert ask(home, "SELECT sum(requests) FROM usage_daily WHERE account_id = 'beta'") == [(10,)]
    assert ask(home, "SELECT sum(requests) FROM usage_daily") == [(2010,)]


def test_a_deleted_lake_is_written_again(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 3, [Use()])
    rate(home)
    before = ask(home, "SELECT * FROM charges ORDER BY ALL")
    shutil.rmtree(home / "lake")
    rate(home)
    assert ask(home, "SELECT * FROM charges ORDER BY ALL") == before
    assert (home / "lake" / "owned_domains.txt").read_text().splitlines() == [
        "*.beta.example",
        "www.acme.example",
    ]


def test_g16_a_lake_of_another_history_is_not_built_upon(tmp_path: Path) -> None:
    one = make_home(tmp_path / "one")
    two = make_home(tmp_path / "two")
    close_hours(one, START, 3, [Use()])
    close_hours(two, START, 2, [Use(requests=9)])
    rate(one)
    rate(two)
    shutil.rmtree(two / "lake")
    shutil.copytree(one / "lake", two / "lake")
    with pytest.raises(Corrupt, match="of two homes, or of two histories"):
        rate(two)
    shutil.rmtree(two / "lake")
    rate(two)
    assert ask(two, "SELECT sum(quantity) FROM charges WHERE item = 'https_requests'") == [(18,)]


def test_old_versions_go_after_an_hour_and_the_current_one_stays(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hour(home, START, [Use()])
    rate(home)
    versions = home / "lake" / "versions"
    first = current(home)
    assert first is not None
    os.utime(first.folder, (time.time() - 3700, time.time() - 3700))
    close_hour(home, START + HOUR, [Use()])
    rate(home)
    assert first.folder.exists(), "it was read until now"
    os.utime(first.folder, (time.time() - 3700, time.time() - 3700))
    close_hour(home, START + 2 * HOUR, [Use()])
    rate(home)
    assert not first.folder.exists()
    assert len(list(versions.iterdir())) == 2


def test_readers_see_one_whole_version_while_runs_go_on(tmp_path: Path) -> None:
    """In every version seen, charges and ledger say the same and quantities only grow."""
    home = make_home(tmp_path)
    close_hour(home, START, [Use()])
    rate(home)
    stop = threading.Event()
    seen: list[int] = []
    problems: list[object] = []

    def read() -> None:
        while not stop.is_set():
            connection = query.connect(home, query="charges ledger_entries")
            charged, posted, count = connection.execute(
                "SELECT (SELECT sum(amount) FROM charges),"
                " (SELECT sum(amount) FROM ledger_entries WHERE ledger_account LIKE 'revenue:%'),"
                " (SELECT sum(quantity) FROM charges WHERE item = 'https_requests')"
            ).fetchall()[0]
            if charged != posted:
                problems.append((charged, posted))
            seen.append(count)
            connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(1, 4):
            close_hour(home, START + number * HOUR, [Use()])
            rate(home, at=START + (number + 1) * HOUR)
    finally:
        stop.set()
        reader.join()
    assert problems == []
    assert seen == sorted(seen)
    assert len(seen) > 1


@pytest.mark.parametrize(
    "view", ["charges", "transfers", "ledger_entries", "hours", "certificates"]
)
def test_views_speak_for_themselves(view: str, two_hours: Path) -> None:
    assert query.connect(two_hours, query=view).table(view).limit(1).fetchall()


def test_a_lake_of_another_program_version_is_written_again_whole(charged: Path) -> None:
    home = charged
    before = ask(home, "SELECT * FROM charges ORDER BY ALL")
    version = current(home)
    assert version is not None
    files = []
    for file in version.files:
        path = version.folder / file.path
        if file.table in ("charges", "prices"):
            kept = pq.read_table(path).select([0])
            path.unlink()  # a file of charges is the journal's own
            pq.write_table(kept, path)
        files.append(described(version.folder, file.table, path, file.rows))
    older = replace(version, layout="older", files=tuple(files))
    (version.folder / "version.json").write_bytes(older.to_bytes())
    (home / "lake" / "CURRENT").write_bytes(pointer_bytes(older))
    with pytest.raises(EdgetollError, match="written by another version of edgetoll"):
        query.connect(home)
    rate(home)
    assert ask(home, "SELECT * FROM charges ORDER BY ALL") == before


def test_charges_of_a_month_begin_with_its_first_day_where_the_account_is(tmp_path: Path) -> None:
    tokyo = ACCOUNTS.replace('id = "acme"', 'id = "acme"\ntimezone = "Asia/Tokyo"', 1)
    home = make_home(tmp_path, accounts=tokyo)
    close_hour(home, START - 9 * HOUR, [Use(requests=10)])
    close_hour(home, START + 15 * HOUR, [Use(requests=10)])
    rate(home, at=START + 17 * HOUR)
    days = (
        "SELECT DISTINCT month, CAST(day AS VARCHAR) AS day FROM charges_daily_parts ORDER BY day"
    )
    assert ask(home, days) == [("2026-10", "2026-10-01"), ("2026-10", "2026-10-02")]


def test_days_follow_an_account_to_another_time_zone(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    evening = START.replace(hour=20)
    close_hour(home, evening, [Use(class_="http", bytes_sent=0)])  # nothing that is charged
    rate(home, at=evening + HOUR)
    days = "SELECT DISTINCT CAST(day AS VARCHAR) FROM usage_daily"
    assert ask(home, days) == [(f"{evening:%Y-%m-%d}",)]
    at_once = f'id = "acme"\ntimezone = "Asia/Shanghai"\neffective_from = {evening + HOUR:%FT%TZ}'
    moved = ACCOUNTS.replace('id = "acme"', at_once, 1)
    load_text(home, moved, at=evening + HOUR)
    rate(home, at=evening + 2 * HOUR)
    assert ask(home, days) == [(f"{evening + 12 * HOUR:%Y-%m-%d}",)]


def test_a_lake_of_an_older_program_is_refused_where_it_lacks_a_table(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hour(home, START, [Use(requests=7)])
    rate(home)
    now = current(home)
    assert now is not None
    files = tuple(one for one in now.files if one.table != "usage_hourly")
    older = replace(now, files=files, layout="older")
    (now.folder / "version.json").write_bytes(older.to_bytes())
    (home / "lake" / "CURRENT").write_bytes(pointer_bytes(older))
    total = "SELECT CAST(sum(requests) AS BIGINT) FROM usage_"
    with query.connect(home, query=f"{total}5min") as connection:
        assert connection.sql(f"{total}5min").fetchall() == [(7,)]
    with pytest.raises(Corrupt, match="no table usage_hourly: another version of edgetoll"):
        query.connect(home, query=f"{total}hourly")
    published(home)
    assert ask(home, f"{total}hourly") == [(7,)]


@pytest.mark.parametrize("kept", ["charges", "charges_daily", "charges_open"])
def test_days_of_charges_that_are_not_the_charges_are_seen(kept: str) -> None:
    row = (
        "(account_id, month, item, rate_card, currency, quantity, amount{more})"
        " SELECT 'acme', '2026-10', 'https_requests', 'https-1', 'USD', 7, "
    )
    with duckdb.connect() as connection:
        for name in ("charges", "charges_daily", "charges_open"):
            connection.execute(sql.text(f"lake_schema/{name}"))
        charge = "INSERT INTO lake_charges" + row.format(more="") + "56000000"
        by_day = (
            "INSERT INTO lake_charges_daily"
            + row.format(more=", charges, corrected")
            + "0.0056, 1, 0"
        )
        connection.execute(charge)
        connection.execute(by_day)
        check = sql.text("checks/lake_days_equal_charges")
        assert connection.execute(check).fetchall() == []
        opened = charge.replace("lake_charges", "lake_charges_open")
        connection.execute({"charges": charge, "charges_daily": by_day}.get(kept, opened))
        assert len(connection.execute(check).fetchall()) == 1


@pytest.mark.parametrize(
    "kept", ["usage_5min", "usage_hourly", "usage_daily", "usage_open", "bandwidth_hourly"]
)
def test_sums_that_lack_usage_are_seen(kept: str) -> None:
    row = "(account_id, class, requests, bytes_sent) VALUES ('acme', 'https', 7, 90)"
    minutes = ", ".join(f"{90 * (one == 5)} AS from_{one:02}" for one in range(0, 60, 5))
    minutes += ", 90 AS most, 0 AS fewest"
    rows = {
        "usage_5min": "(bucket, account_id, class, requests, bytes_sent)"
        " VALUES ('2026-10-01 08:05', 'acme', 'https', 7, 90)",
        "usage_hourly": row,
        "usage_daily": row,
        "bandwidth_hourly": f"BY NAME SELECT 'acme' AS account_id, {minutes}",
    }
    with duckdb.connect() as connection:
        for name, values in rows.items():
            connection.execute(sql.text(f"lake_schema/{name}"))
            connection.execute(f"INSERT INTO lake_{name} {values}")
        connection.execute(sql.text("lake_schema/usage_open"))
        rows["usage_open"] = rows["usage_5min"]
        check = sql.text("checks/usage_sums_equal_usage")
        assert connection.execute(check).fetchall() == []
        connection.execute(f"INSERT INTO lake_{kept} {rows[kept]}")
        assert len(connection.execute(check).fetchall()) in (1, 2)


@pytest.mark.parametrize("wrong", ["most", "fewest"])
def test_another_extreme_of_an_hour_of_bandwidth_is_seen(wrong: str) -> None:
    minutes = ", ".join(f"{one} AS from_{one:02}" for one in range(0, 60, 5))
    with duckdb.connect() as connection:
        kept = ("usage_5min", "usage_hourly", "usage_daily", "usage_open", "bandwidth_hourly")
        for name in kept:
            connection.execute(sql.text(f"lake_schema/{name}"))
        connection.execute(
            f"INSERT INTO lake_bandwidth_hourly BY NAME SELECT {minutes}, 55 AS most, 0 AS fewest"
        )
        check = sql.text("checks/usage_sums_equal_usage")
        sums = connection.execute(check).fetchall()
        connection.execute(f"UPDATE lake_bandwidth_hourly SET {wrong} = 7")  # noqa: S608
        assert len(connection.execute(check).fetchall()) == len(sums) + 1


def test_a_table_that_was_taken_over_though_its_rows_moved_is_named(world: World) -> None:
    """No table of the lake knows of this world's own kinds of records."""
    assert not_of_this_store(world.store, publish(world.store)) == []
    world.rated()
    assert not_of_this_store(world.store, publish(world.store)) == ["runs"]
