"""M3: one set of time zone rules, in Python and in SQL, whatever the machine has."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest

from billing.appliers import open_store
from billing.commands.compare import results
from billing.lake import query
from billing.zones import FIRST, RULES, ZoneOffset, offsets
from tests.billing.homes import BOOK, NOW, Use, close_hour, make_home
from tests.billing.runner import rate

HOUR = timedelta(hours=1)
# Zones whose rules other sets have otherwise, or whose months begin at odd moments.
ZONES = (
    "Africa/Casablanca", "Africa/Cairo", "America/Asuncion", "America/Mexico_City", "Asia/Almaty",
    "Asia/Gaza", "Asia/Kathmandu", "Asia/Tehran", "Australia/Lord_Howe", "Europe/Kyiv",
    "Pacific/Apia", "America/Scoresbysund",
)  # fmt: skip
ACCOUNT = """
[[accounts]]
id = "{id}"
name = "{id}"
currency = "USD"
price_book = "plain"
timezone = "{zone}"
[[domains]]
domain = "{id}.example"
account = "{id}"
"""
IDS = {zone: zone.lower().replace("/", "-").replace("_", "-") for zone in ZONES}


def offset_at(rows: list[ZoneOffset], at: datetime) -> int:
    naive = at.replace(tzinfo=None)
    (found,) = (one for one in rows if one.from_utc <= naive < one.until_utc)
    return found.offset_seconds


def test_m3_every_zones_stretches_are_what_the_pinned_rules_say_each_day() -> None:
    """The search looks once a week: no zone has changed and changed back within one."""
    now = datetime(2026, 11, 30, tzinfo=UTC)
    wrong = []
    for name in sorted(available_timezones() - {"localtime"}):
        rows = list(offsets([name], now))
        assert rows[0].from_utc == FIRST.replace(tzinfo=None)
        assert all(a.until_utc == b.from_utc for a, b in pairwise(rows))
        zone = ZoneInfo(name)
        place = 0
        for day in range(0, 29 * 365, 5):
            at = FIRST + timedelta(days=day)
            while rows[place].until_utc <= at.replace(tzinfo=None):
                place += 1
            offset = at.astimezone(zone).utcoffset()
            assert offset is not None
            if rows[place].offset_seconds != offset.total_seconds():
                wrong.append((name, at))
    assert wrong == []


def test_m3_a_change_is_found_to_the_second() -> None:
    rows = list(offsets(["Europe/Berlin"], datetime(2026, 11, 30, tzinfo=UTC)))
    change = datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert offset_at(rows, change - timedelta(seconds=1)) == 7200
    assert offset_at(rows, change) == 3600


def test_m3_the_systems_rules_do_not_win_over_the_pinned_ones(tmp_path: Path, root: Path) -> None:
    """A machine whose own files say that Casablanca is where Tokyo is."""
    wrong = tmp_path / "Africa" / "Casablanca"
    wrong.parent.mkdir()
    import tzdata  # type: ignore[import-untyped]

    zones = Path(tzdata.__file__).parent / "zoneinfo"
    wrong.write_bytes((zones / "Asia" / "Tokyo").read_bytes())
    script = (
        "from zoneinfo import ZoneInfo, available_timezones\n"
        "from datetime import datetime, UTC\n"
        "early = ZoneInfo('Africa/Casablanca')\n"
        "import billing.rating.calendar as calendar\n"
        "zone = calendar.zone_of('Africa/Casablanca')\n"
        "at = datetime(2026, 10, 15, tzinfo=UTC)\n"
        "print(at.astimezone(early).utcoffset(), at.astimezone(zone).utcoffset())\n"
        "print(len(available_timezones()) > 400)\n"
    )
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=environment, capture_output=True, text=True,
        check=True,
    ).stdout.split()  # fmt: skip
    pinned = datetime(2026, 10, 15, tzinfo=UTC).astimezone(ZoneInfo("Africa/Casablanca"))
    assert said == ["9:00:00", str(pinned.utcoffset()), "True"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account in each zone, which uses something in every hour around the turn of a month."""
    accounts = "".join(ACCOUNT.format(zone=zone, id=name) for zone, name in IDS.items())
    made = make_home(tmp_path_factory.mktemp("zones"), book=BOOK, accounts=accounts)
    first = datetime(2026, 9, 30, 6, tzinfo=UTC)
    for number in range(36):
        uses = [Use(domain=f"{name}.example", requests=12) for name in IDS.values()]
        close_hour(made, first + number * HOUR, uses)
    rate(made)
    return made


def test_m3_usage_by_month_and_charges_agree_in_every_zone(home: Path) -> None:
    with query.connect(home, query="usage_monthly charges zone_offsets") as connection:
        used = connection.execute(
            "SELECT account_id, month, sum(requests) FROM usage_monthly GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        charged = connection.execute(
            "SELECT account_id, month, sum(quantity) FROM charges"
            " WHERE item = 'https_requests' GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        rules = connection.execute("SELECT DISTINCT rules FROM zone_offsets").fetchall()
    assert used == charged
    assert {row[0] for row in used} == set(IDS.values())
    assert {row[1] for row in used} == {"2026-09", "2026-10"}
    assert rules == [(RULES,)]


def test_m3_a_local_midnight_is_the_one_that_bills_are_made_by(home: Path) -> None:
    from billing.rating.calendar import midnight

    with query.connect(home, query="utc_of_local") as connection:
        for zone in ZONES:
            for month in range(1, 13):
                day = datetime(2026, month, 1)  # noqa: DTZ001
                (found,) = connection.execute(
                    "SELECT utc_of_local($zone, $day)", {"zone": zone, "day": day}
                ).fetchall()
                assert found[0] == midnight(day.date(), ZoneInfo(zone)), (zone, month)


def test_m3_views_that_know_another_zone_than_the_bills_are_red(home: Path) -> None:
    """The check compares the lake's months with the charges: here the lake's zone is moved."""
    with open_store(home, owner="test", now=NOW) as store:
        held = {one.check: one for one in results(store, quick=True)}
        assert not held["usage_months_equal_charges"].is_red
        store.connection.execute(
            "UPDATE accounts SET timezone = 'Asia/Tokyo' WHERE account_id = 'africa-casablanca'"
        )
        from billing.lake.publish import publish

        (home / "lake" / "CURRENT").unlink()
        publish(store)
        red = {one.check: one for one in results(store, quick=True)}
        store.connection.execute(
            "UPDATE accounts SET timezone = 'Africa/Casablanca'"
            " WHERE account_id = 'africa-casablanca'"
        )
        (home / "lake" / "CURRENT").unlink()
        publish(store)
    assert {row[0] for row in red["usage_months_equal_charges"].rows} == {"africa-casablanca"}
