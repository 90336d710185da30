"""Times between tables, Python and people: UTC throughout, whatever the host's zone is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from billing import instants


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/New_York"])
def test_a_time_of_a_table_is_utc_whatever_the_zone_of_the_host(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    stored = datetime(2026, 3, 1)  # noqa: DTZ001
    try:
        assert instants.instant_text(stored) == "2026-03-01T00:00:00"
        assert instants.aware(stored) == datetime(2026, 3, 1, tzinfo=UTC)
        assert instants.naive(stored) == stored
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    there = datetime(2026, 3, 1, 5, 45, 30, 7, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert instants.instant_text(there) == "2026-03-01T00:00:30"
    assert instants.exact_text(there) == "2026-03-01T00:00:30.000007"
    assert instants.stamp(there) == "2026-03-01T00:00:30Z"
    assert instants.minute_text(there) == "2026-03-01T00:00Z"
    assert instants.aware_or_none(None) is instants.naive_or_none(None) is None
