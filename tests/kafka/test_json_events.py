"""Single JSON messages, judged strictly; each (source, id) counts once (no broker here)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sql
from edge.errors import ConfigError
from metering.counting.flush import Flush, Names
from metering.counting.json_check import Bounds, check, milliseconds
from metering.counting.json_events import JsonIntake
from metering.counting.json_parse import FIELDS, Unreadable, events_of
from metering.counting.records import Rejected
from metering.sources.source import Message, SourceBatch

NOW = 1_790_000_000_000
DAY = 86_400_000
BOUNDS = Bounds(window_start_ms=NOW - 7 * DAY, now_ms=NOW)
GOOD: dict[str, Any] = {
    "source": "cdn-a",
    "id": "1",
    "time": NOW - 1000,
    "domain": "Example.COM.:443",
    "scheme": "https",
    "transport": "tcp",
    "status": 200,
    "bytes_sent": 512,
    "cache": "hit",
    "region": "DE",
}


def message(document: Any, key: bytes | None = b"cdn-a", headers: tuple[Any, ...] = ()) -> Message:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return key, raw, headers


def reason(document: Any, key: bytes | None = b"cdn-a", headers: tuple[Any, ...] = ()) -> str:
    """Why a message is refused, or `counted`."""
    found = events_of(message(document, key, headers))
    if isinstance(found, Unreadable):
        return found.reason
    checked = check(found, [key] * len(found), BOUNDS)
    return checked.refused[0][1] if checked.refused else "counted"


def changed(**values: Any) -> dict[str, Any]:
    return {**GOOD, **values}


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in GOOD.items() if field != name}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(GOOD, "counted", id="plain"),
        pytest.param(without("cache"), "counted", id="no cache"),
        pytest.param(without("region"), "counted", id="no region"),
        pytest.param(changed(more={"a": [1]}), "counted", id="D15 unknown fields are ignored"),
        pytest.param(changed(version=1), "counted", id="D15 our version"),
        pytest.param(changed(version=2), "version", id="D15 another version"),
        pytest.param(changed(domain="*"), "counted", id="D4 unattributable counts"),
        pytest.param(changed(domain="x" * 10_000), "counted", id="D1 a long host counts"),
        pytest.param(changed(bytes_sent=-1), "bytes", id="D9 negative"),
        pytest.param(changed(bytes_sent=1.5), "schema", id="D9 float"),
        pytest.param(changed(bytes_sent=True), "schema", id="D9 bool"),
        pytest.param(changed(bytes_sent="1"), "schema", id="D9 text"),
        pytest.param(changed(bytes_sent=2**63), "bytes", id="D10 2^63"),
        pytest.param(changed(bytes_sent=2**50), "counted", id="D10 the cap"),
        pytest.param(changed(bytes_sent=2**50 + 1), "bytes", id="D10 over the cap"),
        pytest.param(changed(status=0), "counted", id="D11 0"),
        pytest.param(changed(status=599), "counted", id="D11 599"),
        pytest.param(changed(status=600), "counted", id="E4 600"),
        pytest.param(changed(status=999), "counted", id="E4 999"),
        pytest.param(changed(status=1000), "status", id="D11 1000"),
        pytest.param(without("status"), "schema", id="D11 missing"),
        pytest.param(changed(scheme="HTTPS"), "scheme", id="D12 upper case"),
        pytest.param(changed(scheme="h2"), "scheme", id="D12 h2"),
        pytest.param(changed(scheme=["https"]), "schema", id="D12 a list"),
        pytest.param(without("scheme"), "schema", id="D12 missing"),
        pytest.param(changed(cache="stale"), "schema", id="cache"),
        pytest.param(changed(cache={}), "schema", id="cache object"),
        pytest.param(b'{"id":"1","id":"2"}', "syntax", id="D13 a key twice"),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, "syntax", id="D13 depth"),
        pytest.param(b'{"bytes_sent":1e400}', "syntax", id="D13 10^400"),
        pytest.param(b'{"bytes_sent":NaN}', "syntax", id="D13 NaN"),
        pytest.param(b"", "syntax", id="empty"),
        pytest.param(b"\xff\xfe", "syntax", id="not UTF-8"),
        pytest.param(b'"text"', "schema", id="no object"),
        pytest.param(b"[]", "schema", id="empty batch"),
        pytest.param(changed(domain="x" * 70_000), "too_large", id="64 KiB"),
        pytest.param(changed(time=NOW // 1000), "clock", id="D14 seconds are not guessed"),
        pytest.param(changed(time=NOW * 1000), "clock", id="D14 microseconds are not guessed"),
        pytest.param(changed(time="2026-09-21T14:00:00"), "schema", id="D14 no zone"),
        pytest.param(changed(time="2026-09-21T14:00:00Z"), "counted", id="RFC 3339"),
        pytest.param(changed(time="2026-09-21T16:00:00.5+02:00"), "counted", id="with offset"),
        pytest.param(changed(time=NOW - 8 * DAY), "uncheckable", id="older than the window"),
        pytest.param(changed(time=NOW + 2 * DAY), "clock", id="A12 in two days"),
        pytest.param(changed(id=""), "schema", id="empty id"),
        pytest.param(changed(id=1), "schema", id="number as id"),
        pytest.param(changed(id="x" * 257), "schema", id="long id"),
        pytest.param(changed(source="cdn-b"), "key", id="the key is another source"),
    ],
)
def test_d9_to_d15_what_is_counted_and_the_reason_where_not(document: Any, expected: str) -> None:
    assert reason(document) == expected


def test_a_message_without_a_key_is_refused() -> None:
    assert reason(GOOD, key=None) == "key"


CLOUD = {
    "specversion": "1.0",
    "type": "edgetoll.request.v1",
    "id": "c1",
    "source": "cdn-a",
    "time": "2026-09-21T14:00:00Z",
    "data": {name: GOOD[name] for name in FIELDS[3:]},
}


def test_the_three_forms_of_a_cloudevent_say_the_same() -> None:
    structured = events_of(message(CLOUD))
    headers = tuple(
        (f"ce_{name}", str(CLOUD[name]).encode())
        for name in ("specversion", "type", "id", "source", "time")
    )
    binary = events_of(message(CLOUD["data"], headers=headers))
    content = (("content-type", b"application/cloudevents-batch+json; charset=utf-8"),)
    batched = events_of(message([CLOUD, {**CLOUD, "id": "c2"}], headers=content))
    assert not isinstance(structured, Unreadable)
    assert not isinstance(batched, Unreadable)
    assert structured == binary == [batched[0]] or list(structured) == [batched[0]]
    assert [event[1] for event in batched] == ["c1", "c2"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({**CLOUD, "specversion": "2.0"}, "version"),
        ({**CLOUD, "type": "com.example.other"}, "version"),
        ({**CLOUD, "data": "text"}, "schema"),
        ({name: value for name, value in CLOUD.items() if name != "id"}, "schema"),
        ([CLOUD, {**CLOUD, "data": None}], "schema"),
    ],
)
def test_a_cloudevent_that_is_not_ours_is_refused_with_a_reason(
    document: Any, expected: str
) -> None:
    assert reason(document) == expected


def test_e5_a_leap_second_belongs_to_the_minute_it_ends() -> None:
    assert milliseconds("2016-12-31T23:59:60Z") == milliseconds("2016-12-31T23:59:59.999Z")


@given(st.binary(max_size=300))
def test_d13_no_bytes_break_the_decoder(raw: bytes) -> None:
    found = events_of(message(raw))
    if not isinstance(found, Unreadable):
        check(found, [b"cdn-a"] * len(found), BOUNDS)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES), min_size=1, max_size=5))
def test_one_event_among_others_is_judged_as_it_is_alone(changes: list[dict[str, Any]]) -> None:
    events = [tuple({**GOOD, **change}[name] for name in FIELDS) for change in changes]
    together = check(events, [b"cdn-a"] * len(events), BOUNDS)
    alone = [check([event], [b"cdn-a"], BOUNDS) for event in events]
    assert len(together.id) + len(together.refused) == len(events)
    assert together.id == [name for one in alone for name in one.id]
    assert [r for _, r, _ in together.refused] == [r for one in alone for _, r, _ in one.refused]


# Identity, in DuckDB.


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty store as far as the JSON intake looks at it."""
    with duckdb.connect() as made:
        made.execute(sql.text("schema/metering"))
        made.execute(sql.text("statements/metering/partition/new_partition"), {"partition": "000"})
        yield made


class Taken:
    """One intake, fed flush by flush as the worker does it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, window_ms: int = 7 * DAY) -> None:
        self.kept: list[Rejected] = []
        self.connection = connection
        self.intake = JsonIntake(window_ms, self.kept.append)
        self.offset = 0

    def flush(self, *documents: dict[str, Any], key: bytes = b"cdn-a", now: int = NOW) -> Flush:
        flush = Flush(partition="000", names=Names())
        self.offset += len(documents)
        batch = SourceBatch(
            partition="000",
            source="t:0",
            position_after=f"x@{self.offset}",
            payload=None,
            messages=[message(document, key) for document in documents],
        )
        self.intake.take(flush, batch, now)
        self.connection.begin()
        self.intake.settle([(flush, 1)], self.connection, now)
        self.connection.commit()
        flush.check()
        return flush

    @property
    def ids(self) -> int:
        row = self.connection.execute("SELECT count(*) FROM json_ids").fetchone()
        return 0 if row is None else int(row[0])


def ends(flush: Flush) -> tuple[int, int, int]:
    return flush.events.accepted, flush.events.duplicate, flush.events.quarantined


def test_an_id_counts_once_within_a_flush_and_across_flushes(connection: Any) -> None:
    taken = Taken(connection)
    assert ends(taken.flush(GOOD, GOOD, changed(id="2"))) == (2, 1, 0)
    assert ends(taken.flush(GOOD, changed(id="3"))) == (1, 1, 0)
    assert taken.ids == 3


def test_identity_is_the_pair_of_source_and_id_and_not_their_text(connection: Any) -> None:
    taken = Taken(connection)
    assert ends(taken.flush(changed(source="ab", id="c"), key=b"ab")) == (1, 0, 0)
    assert ends(taken.flush(changed(source="a", id="bc"), key=b"a")) == (1, 0, 0)


@pytest.mark.parametrize("change", [{"time": NOW - 3_600_000}, {"bytes_sent": 1}, {"status": 404}])
def test_the_same_id_with_another_time_or_content_counts_once_and_is_reported(
    connection: Any, change: dict[str, Any]
) -> None:
    taken = Taken(connection)
    taken.flush(GOOD)
    flush = taken.flush(changed(**change))
    assert ends(flush) == (0, 0, 1)
    assert list(flush.rejects) == [("conflict", "cdn-a")]
    assert [kept.reason for kept in taken.kept] == ["conflict"]


def test_what_is_counted_is_in_its_bucket_class_and_region(connection: Any) -> None:
    flush = Taken(connection).flush(
        GOOD, changed(id="2", transport="quic", cache=None), changed(id="3", region="FR")
    )
    rows = flush.usage().to_pylist()
    found = sorted((r["domain"], r["region"], r["class"], r["requests"]) for r in rows)
    assert found == [
        ("example.com", "DE", "https", 1),
        ("example.com", "DE", "quic", 1),
        ("example.com", "FR", "https", 1),
    ]
    assert {r["bucket_ms"] for r in rows} == {(NOW - 1000) // 300_000 * 300_000}
    assert flush.unproven == {((NOW - 1000) // 3_600_000 * 3_600_000, "cdn-a")}


def test_ids_are_forgotten_with_their_window_and_older_events_are_uncheckable(
    connection: Any,
) -> None:
    taken = Taken(connection)
    taken.flush(GOOD)
    later = NOW + 8 * DAY
    flush = taken.flush(GOOD, changed(id="9", time=later), now=later)
    assert ends(flush) == (1, 0, 1)
    assert list(flush.rejects) == [("uncheckable", "cdn-a")]
    assert taken.ids == 1


def test_refused_messages_are_kept_raw_together_by_reason(connection: Any) -> None:
    taken = Taken(connection)
    flush = taken.flush(changed(status=1600), changed(status=1601, id="2"), GOOD)
    assert ends(flush) == (1, 0, 2)
    (kept,) = taken.kept
    assert kept.reason == "status"
    assert kept.data.count(b"\n") == 1


def test_the_window_is_never_shorter_than_the_topics_retention(connection: Any) -> None:
    assert JsonIntake.for_topic(7, 8 * DAY, lambda _rejected: None).window_ms == 8 * DAY
    assert JsonIntake.for_topic(7, DAY, lambda _rejected: None).window_ms == 7 * DAY
    taken = Taken(connection)
    taken.intake = JsonIntake.for_topic(7, -1, taken.kept.append)
    with pytest.raises(ConfigError, match="keeps records for ever"):
        taken.flush(GOOD)
