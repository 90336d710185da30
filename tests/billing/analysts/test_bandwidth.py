"""Peaks and percentiles are those of all 5-minute samples, whatever parts they came in."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

import sql
from billing.analysts import library
from billing.lake.binding import create_views
from billing.lake.tables import SHAPES
from billing.zones import offsets

ZONES = {"acme": "UTC", "beta": "Asia/Kolkata", "calm": "Asia/Kolkata", "idle": "UTC"}
FIRST = datetime.fromisoformat("2026-09-30T10:00")
LAST = datetime.fromisoformat("2026-11-01T03:00")
STEP = timedelta(minutes=5)
Sample = tuple[datetime, str | None, int]


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """What was sent, now nothing, now much: rows of a bucket may be several. `calm` sends hour by
    hour another amount, within an hour about the same.
    """
    chance = random.Random(2221)
    times = [FIRST + STEP * n for n in range((LAST - FIRST) // STEP)]
    hourly = {at.replace(minute=0): chance.randrange(10**11) for at in times}
    calm: list[Sample] = [(at, "calm", hourly[at.replace(minute=0)] + at.minute) for at in times]
    return calm + [
        (at, account, chance.choice([0, chance.randrange(10), chance.randrange(10**11)]))
        for at in times
        for account in ("acme", "beta", None)
        for _ in range(chance.choice([0, 1, 1, 2]))
    ]


@pytest.fixture(scope="module")
def lake(samples: list[Sample]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lake that holds them, imported in three parts, some not yet."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for shape in SHAPES.values():
        connection.execute(sql.text(shape))
    connection.execute("CREATE TABLE closed_hour_list (partition VARCHAR, hour TIMESTAMP)")
    create_views(connection)
    for account, zone in ZONES.items():
        connection.execute(
            "INSERT INTO lake_accounts (account_id, timezone) VALUES (?, ?)", [account, zone]
        )
    now = datetime(2026, 11, 2, tzinfo=UTC)
    connection.executemany(
        "INSERT INTO lake_zone_offsets BY NAME SELECT ? AS zone, ? AS from_utc, ? AS until_utc,"
        " ? AS offset_seconds",
        [(o.zone, o.from_utc, o.until_utc, o.offset_seconds) for o in offsets(ZONES.values(), now)],
    )
    chance = random.Random(2222)
    usage = {
        "hour": [at.replace(minute=0) for at, _, _ in samples],
        "bucket": [at for at, _, _ in samples],
        "account_id": [account for _, account, _ in samples],
        "bytes_sent": [size for _, _, size in samples],
        "import_no": [
            chance.choice([1, 1, 2, 3]) if at.hour % 3 == 0 else 1 for at, _, _ in samples
        ],
    }
    connection.register("usage", pa.table(usage))
    connection.execute("INSERT INTO lake_imported_files (hour) SELECT DISTINCT hour FROM usage")
    days = connection.sql("SELECT DISTINCT hour::DATE FROM usage").fetchall()
    for part in (1, 2):
        for (day,) in days:
            connection.execute(
                sql.text("statements/lake/publish/set_lake_range"),
                {"after": part - 1, "through": part, "day": str(day)},
            )
            connection.execute(
                f"INSERT INTO lake_bandwidth_hourly {sql.text('lake/bandwidth_hourly')}"
            )
    connection.execute(
        "INSERT INTO closed_usage BY NAME SELECT bucket, 'www.' || account_id || '.example' AS"
        " domain, 'DE' AS region, 'https' AS class, bytes_sent FROM usage WHERE import_no = 3"
    )
    connection.execute(
        "INSERT INTO lake_domains BY NAME SELECT 'www.' || account_id || '.example' AS domain,"
        " account_id, TIMESTAMP '2000-01-01' AS effective_from FROM lake_accounts"
    )
    yield connection
    connection.close()


def sent(samples: list[Sample], zone: str | None, account: str | None) -> dict[str, list[int]]:
    """By month, what an account sent in each of its 5 minutes; the largest first."""
    buckets: dict[datetime, int] = defaultdict(int)
    for at, name, size in samples:
        if name == account:
            buckets[at] += size
    found: dict[str, list[int]] = defaultdict(list)
    for at, size in buckets.items():
        shown = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone or "UTC"))
        found[f"{shown:%Y-%m}"].append(size)
    return {month: sorted(sizes, reverse=True) for month, sizes in found.items()}


def test_percentiles_are_those_of_all_samples_whatever_parts_they_came_in(
    lake: duckdb.DuckDBPyConnection, samples: list[Sample]
) -> None:
    rows = lake.sql(
        "SELECT account_id, month, slots, peak_bits_per_second, p99_bits_per_second,"
        " p95_bits_per_second, p50_bits_per_second FROM percentiles"
    ).fetchall()
    wanted = []
    for account, zone in ZONES.items():
        for month, sizes in sent(samples, zone, account).items():
            place = ZoneInfo(zone)
            starts_at = datetime.fromisoformat(f"{month}-01").replace(tzinfo=place)
            ends_at = (starts_at + timedelta(days=32)).replace(day=1)
            known_until = (LAST + timedelta(minutes=59)).replace(minute=0, tzinfo=UTC)
            slots = (min(ends_at, known_until) - starts_at.astimezone(UTC)) // STEP
            bits = [
                8
                * (sizes[slots * (100 - p) // 100 : slots * (100 - p) // 100 + 1] or [0])[0]
                // 300
                for p in (100, 99, 95, 50)
            ]
            wanted.append((account, month, slots, *bits))
    assert sorted(rows) == sorted(wanted)
    assert len(wanted) == 9


def test_of_a_month_that_is_asked_for_the_same_rows_come(lake: duckdb.DuckDBPyConnection) -> None:
    asked = library.find("bandwidth_percentiles")
    one = lake.sql(asked.text, params={"month": "2026-10", "account": "all"}).fetchall()
    columns = "account_id, slots, COLUMNS('(peak|p9.)_bits')"
    same = f"FROM percentiles SELECT {columns} WHERE month = '2026-10'"
    assert sorted(one) == sorted(lake.sql(same).fetchall())
    assert len(one) == 3
    of_one = {"month": "2026-10", "account": one[0][0]}
    assert lake.sql(asked.text, params=of_one).fetchall() == [one[0]]


def test_peaks_are_the_largest_samples_and_say_when_first(
    lake: duckdb.DuckDBPyConnection, samples: list[Sample]
) -> None:
    asked = library.find("bandwidth_peaks")
    rows = lake.sql(asked.text, params={"month": "2026-10", "top": 9}).fetchall()
    assert len(rows) == 4
    for account, bits, at in rows:
        sizes = sent(samples, None, account)["2026-10"]
        assert bits == sizes[0] * 8 // 300
        assert (
            sum(size for when, name, size in samples if (when, name) == (at, account)) == sizes[0]
        )
