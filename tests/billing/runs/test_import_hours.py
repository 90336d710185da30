"""Import of closed hours: once each, verified, attributed; what is too old waits."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.runs.import_hours import accept_too_old, import_closed, rated_through, too_old_files
from edge.errors import Corrupt, InputError
from metering.closed import list_closed
from tests.billing.homes import NOW, START, Use, close_hour, close_hours, load_text, make_home
from tests.billing.runner import posted

HOUR = timedelta(hours=1)


def take(home: Path, *, days: int = 60) -> tuple[int, int]:
    """Import; returns (files, too old files)."""
    with open_store(home, owner="test", now=NOW) as store:
        done = import_closed(store, at=NOW, too_old_days=days)
    return done.files, done.too_old


def usage(home: Path) -> dict[tuple[str | None, str | None], int]:
    """Requests by account and domain."""
    with open_store(home, owner="test", now=NOW) as store:
        found = store.connection.execute(
            "SELECT account_id, domain, sum(requests) FROM usage GROUP BY ALL"
        ).fetchall()
    return {(account, domain): int(requests) for account, domain, requests in found}


def test_each_file_is_imported_once(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 3, [Use()])
    assert take(home) == (3, 0)
    assert take(home) == (0, 0)
    close_hour(home, START, [Use(requests=5)])  # a late revision is another file
    assert take(home) == (1, 0)
    assert usage(home) == {("acme", "www.acme.example"): 3005}


def test_exact_name_then_one_level_wildcard_then_nobody(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    load_text(home, '[[domains]]\ndomain = "vip.beta.example"\naccount = "acme"\n')
    uses = [
        Use(domain="vip.beta.example", requests=1),
        Use(domain="a.beta.example", requests=2),
        Use(domain="a.b.beta.example", requests=4),
        Use(domain="beta.example", requests=8),
        Use(domain=None, requests=16),
        Use(domain="*.beta.example", requests=32),  # names that metering folded under the wildcard
    ]
    close_hour(home, START, uses)
    take(home)
    assert usage(home) == {
        ("acme", "vip.beta.example"): 1,
        ("beta", "a.beta.example"): 2,
        (None, "a.b.beta.example"): 4,
        (None, "beta.example"): 8,
        (None, None): 16,
        ("beta", "*.beta.example"): 32,
    }


def test_ownership_is_judged_per_five_minutes(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    load_text(
        home,
        '[[domains]]\ndomain = "s.example"\naccount = "acme"\n'
        "effective_from = 2026-10-01T00:20:00Z\neffective_to = 2026-10-01T00:40:00Z\n",
    )
    uses = [Use(domain="s.example", requests=1, minute=minute) for minute in range(0, 60, 5)]
    close_hour(home, START, uses)
    take(home)
    assert usage(home) == {("acme", "s.example"): 4, (None, "s.example"): 8}


def test_every_flipped_byte_of_a_closed_hour_stops_the_import(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 2, [Use()])
    with open_store(home, owner="test", now=NOW) as store:
        for path in (list_closed(home)[0].data_path, list_closed(home)[0].certificate_path):
            whole = path.read_bytes()
            for place in range(0, len(whole), max(1, len(whole) // 25)):
                flipped = bytearray(whole)
                flipped[place] ^= 1
                path.write_bytes(flipped)
                with pytest.raises(Corrupt):
                    import_closed(store, at=NOW, too_old_days=60)
            path.write_bytes(whole)
    assert take(home) == (2, 0)


def test_a_removed_or_replaced_certificate_breaks_the_chain(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 3, [Use()])
    middle = list_closed(home)[1].certificate_path
    whole = middle.read_bytes()
    middle.unlink()
    with pytest.raises(Corrupt, match="does not continue certificate 1"):
        take(home)
    forged = {**json.loads(whole), "previous_certificate_sha256": "0" * 64}
    middle.write_text(json.dumps(forged))
    with pytest.raises(Corrupt, match="does not continue"):
        take(home)
    middle.write_bytes(whole)
    assert take(home) == (3, 0)


def test_a_rebuild_refuses_closed_hours_that_are_not_those_imported(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 1, [Use()])
    take(home)
    (home / "billing.duckdb").unlink()
    data = list_closed(home)[0].data_path
    data.write_bytes(data.read_bytes() + b" ")
    with pytest.raises(Corrupt, match="not the file that was imported"):
        take(home)


def test_g11_usage_older_than_the_limit_waits_for_a_person(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    old = NOW - timedelta(days=61)
    close_hour(home, old, [Use(requests=7)])
    close_hour(home, START, [Use(requests=1)])
    posted(home)
    assert usage(home) == {("acme", "www.acme.example"): 1}
    with open_store(home, owner="test", now=NOW) as store:
        (held,) = too_old_files(store)
        assert (held.hour, held.requests) == (old.replace(tzinfo=None), 7)
        assert accept_too_old(store, ["2001-01-01T00"], reason="no such", at=NOW) is None
        with pytest.raises(InputError, match="is no hour"):
            accept_too_old(store, ["2001-01-01"], reason="a day is no hour", at=NOW)
        assert accept_too_old(store, (), reason="the edge was in repair", at=NOW) is not None
        assert too_old_files(store) == []
    posted(home)
    assert usage(home) == {("acme", "www.acme.example"): 8}
    with open_store(home, owner="test", now=NOW) as store:
        found = store.connection.execute(
            "SELECT sum(quantity) FROM charges WHERE item = 'https_requests'"
        ).fetchall()
    assert found == [(8,)]


def test_hours_are_rated_as_far_as_every_partition_has_closed_them(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    for number in range(4):
        close_hour(home, START + number * HOUR, [Use()], partition="000")
    for number in range(2):
        close_hour(home, START + number * HOUR, [Use()], partition="001")
    take(home)
    with open_store(home, owner="test", now=NOW) as store:
        assert rated_through(store, at=NOW) == START + 2 * HOUR
    close_hour(home, START + 2 * HOUR, [], partition="001")  # an hour in which nothing happened
    take(home)
    with open_store(home, owner="test", now=NOW) as store:
        assert rated_through(store, at=NOW) == START + 3 * HOUR


def test_an_hour_of_a_range_certificate_counts_as_closed(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hour(home, START, [Use()], complete_through=START + 100 * HOUR)
    take(home)
    with open_store(home, owner="test", now=NOW) as store:
        assert rated_through(store, at=NOW) == START + 100 * HOUR
        assert rated_through(store, at=START + 5 * HOUR + HOUR / 2) == START + 5 * HOUR
