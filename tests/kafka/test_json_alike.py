"""Messages taken apart by columns say what they say one by one, whatever stands in them."""

from __future__ import annotations

import json
import random
from typing import Any

import duckdb
import numpy as np
import pytest

import sql
from edge.errors import Corrupt
from metering.counting import json_columns
from metering.counting.flush import Flush, Names
from metering.counting.json_check import Bounds, check
from metering.counting.json_columns import JsonColumns, from_checked, laid_out_alike
from metering.counting.json_counts import count
from metering.counting.json_events import JsonIntake
from metering.counting.json_layout import layout_of
from metering.counting.json_parse import Unreadable, events_of
from metering.counting.json_trust import JsonTrust
from metering.counting.records import Rejected
from metering.sources.source import Message, SourceBatch
from tests.kafka.test_json_events import BOUNDS, DAY, GOOD, NOW, changed, message

ODD = [bytes([octet]) for octet in b'"\\{}[],:0159-+.eE aZ\n\t\x00\x1f\x7f\x80\xc3\xff']
EVENT = {**GOOD, "domain": "shop.example.com"}


def rows(events: JsonColumns) -> list[tuple[Any, ...]]:
    """Every column of each event, in words."""
    texts = [
        [coded.names[code] for code in coded.codes.tolist()]
        for coded in (events.source, events.domain, events.region)
    ]
    numbers = (
        events.place,
        events.time_ms,
        events.class_code,
        events.status,
        events.bytes_sent,
        events.cache,
    )
    columns = [*texts, events.id.to_pylist(), *(column.tolist() for column in numbers)]
    return list(zip(*columns, strict=True))


def judged(messages: list[Message], places: list[int], bounds: Bounds = BOUNDS) -> JsonColumns:
    """The same messages one by one: each must be counted."""
    events, keys, origin = [], [], []
    for place in places:
        found = events_of(messages[place])
        assert not isinstance(found, Unreadable), messages[place]
        events += found
        keys += [messages[place][0]] * len(found)
        origin += [place] * len(found)
    checked = check(events, keys, bounds)
    assert checked.refused == [], [messages[origin[place]] for place, _, _ in checked.refused]
    return from_checked(checked, origin)


def taken(messages: list[Message], bounds: Bounds = BOUNDS) -> list[int]:
    """Places of the messages that were taken by columns, each as it is one by one."""
    parts, left = laid_out_alike(messages, bounds)
    places = []
    for part in parts:
        places += part.place.tolist()
        assert rows(part) == rows(judged(messages, part.place.tolist(), bounds))
    assert sorted([*places, *left.tolist()]) == list(range(len(messages)))
    return sorted(places)


def run(*documents: dict[str, Any], **form: Any) -> list[Message]:
    return [
        (str(one["source"]).encode(), json.dumps(one, **form).encode(), ()) for one in documents
    ]


TIGHT = {"separators": (",", ":")}


@pytest.mark.parametrize("form", [TIGHT, {}, {"sort_keys": True}, {**TIGHT, "ensure_ascii": False}])
def test_messages_laid_out_alike_are_all_taken(form: dict[str, Any]) -> None:
    documents = [
        changed(
            id=f"req-{number:x}" * (number % 4 + 1),
            source=f"cdn-{number % 3}",
            time=NOW - number,
            domain=f"d{number % 7}.Example.com:443",
            transport=("tcp", "quic")[number % 2],
            status=number % 1000,
            bytes_sent=number**4 * (number % 5),
            cache=("hit", "miss")[number % 2],
        )
        for number in range(1000)
    ]
    assert len(taken(run(*documents, **form))) == 1000


def test_layouts_may_be_mixed_and_fields_left_out() -> None:
    kinds = [
        EVENT,
        {name: value for name, value in EVENT.items() if name != "cache"},
        {**EVENT, "version": 1, "cache": None},
        {name: EVENT[name] for name in reversed(EVENT) if name != "region"},
    ]
    documents = [{**kinds[n % 4], "id": f"{n}"} for n in range(400)]
    documents[7] = {**EVENT, "id": "é"}
    assert taken(run(*documents, **TIGHT)) == [n for n in range(400) if n != 7]


def edits(value: bytes) -> list[bytes]:
    """`value` with one octet put in, changed or taken out, everywhere."""
    made = []
    for place in range(len(value) + 1):
        made += [value[:place] + odd + value[place:] for odd in ODD]
        made += [value[:place] + odd + value[place + 1 :] for odd in ODD]
        made.append(value[:place] + value[place + 1 :])
    return made


@pytest.mark.parametrize("form", [TIGHT, {}])
def test_every_edit_of_one_octet_is_judged_as_it_is_alone(form: dict[str, Any]) -> None:
    (good,) = run(EVENT, **form)
    messages = [(b"cdn-a", value, ()) for value in edits(good[1])]
    assert 0 < len(taken([*[good] * 100, *messages])) < len(messages)


def test_random_edits_are_judged_as_they_are_alone(seed: int) -> None:
    chance = random.Random(seed)
    values = [one[1] for one in run(EVENT, {**EVENT, "cache": None}, **TIGHT)]
    messages = []
    for number in range(6000):
        value = bytearray(chance.choice(values).replace(b'"1"', b'"%d"' % number))
        for _ in range(chance.choice((0, 0, 1, 2, 5))):
            at, other = chance.randrange(len(value)), chance.randrange(len(value))
            piece = chance.choice((*ODD, bytes(value[min(at, other) : max(at, other)])))
            value[at : at + chance.randrange(4)] = piece
        messages.append((chance.choice((b"cdn-a",) * 9 + (b"cdn-b", None)), bytes(value), ()))
    assert len(taken(messages)) > 1000


@pytest.mark.parametrize("odd", [{"id": "café"}, {"id": "x" * 1000}, {"bytes_sent": 10**30}])
def test_messages_of_which_none_is_plain_are_all_judged_alone(odd: dict[str, Any]) -> None:
    documents = [{**EVENT, **odd} for _ in range(100)]
    assert taken(run(*documents, **TIGHT, ensure_ascii=False)) == []


VALUES: list[dict[str, Any]] = [
    *({"bytes_sent": size} for size in (0, 7, 10**8, 10**15, 2**50, 2**50 + 1, 10**16, 2**63, -1)),
    *({"status": status} for status in (0, 9, 99, 599, 600, 999, 1000, 10**12)),
    *({"time": time} for time in (0, NOW, NOW + DAY, NOW + DAY + 1, NOW - 7 * DAY - 1, 10**15)),
    *({"id": text} for text in ("", "x" * 128, "x" * 129, "x" * 256, "x" * 257, 'a"b', "a\\b")),
    *({"domain": text} for text in ("", "*", "a..b", "x" * 300, "EXAMPLE.com.", "münchen.de")),
    *({"source": text} for text in ("", "cdn-b", "x" * 200)),
    *({"region": text} for text in ("", "FR", "é")),
    *({"scheme": text} for text in ("http", "HTTPS", "h2", "")),
    *({"transport": text} for text in ("quic", "TCP")),
    *({"cache": text} for text in (None, "miss", "stale", "")),
    {"version": 1},
    {"version": 2},
    {"more": "x"},
]
LISTED = {
    "cdn-a": frozenset({"shop.example.com", "*.example.org"}),
    "cdn-b": frozenset[str](),
}


def outcome(messages: list[Message], trust: JsonTrust) -> list[Any]:
    """All that becomes of messages of two partitions, in units of 90, over two flushes."""
    kept: list[Rejected] = []
    intake = JsonIntake(7 * DAY, kept.append, trust)
    told: list[Any] = [kept]
    with duckdb.connect() as connection:
        connection.execute(sql.text("schema/metering"))
        for flush_no in (1, 2):
            flushes = [Flush(partition=name, names=Names()) for name in ("000", "001")]
            for number, begin in enumerate(range(0, len(messages), 90)):
                flush = flushes[number % 2]
                batch = SourceBatch(
                    partition=flush.partition,
                    source=f"t:{number % 2}",
                    position_after=f"x@{begin + 90}",
                    payload=None,
                    messages=messages[begin : begin + 90],
                )
                intake.take(flush, batch, NOW)
            intake.settle([(flush, flush_no) for flush in flushes], connection, NOW)
            for flush in flushes:
                flush.check()
                usage = sorted(map(str, flush.usage().to_pylist()))
                told += [flush.events, flush.rejects, flush.unproven, usage]
        ids = connection.execute("SELECT * EXCLUDE (seen_ms) FROM json_ids ORDER BY ALL").fetchall()
    return [*told, ids]


@pytest.mark.parametrize("listed", [None, LISTED])
def test_a_run_ends_the_same_way_by_columns_and_one_by_one(
    listed: dict[str, frozenset[str]] | None, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    documents = []
    for number in range(1500):
        event = {**EVENT, "id": f"{number % 1200}", "time": NOW - number % 1200}
        event |= {"source": chance.choice(("cdn-a", "cdn-a", "cdn-b", "cdn-c"))}
        event |= {"domain": chance.choice(("shop.example.com", "a.example.org", "example.com"))}
        documents.append(event | (chance.choice(VALUES) if number % 3 == 0 else {}))
    for number in range(1200, 1500, 2):
        documents[number] = documents[number - 1200]  # a duplicate, where chance alone made few
    messages = run(*documents, **TIGHT)
    messages[5] = (b"cdn-a", b"[" + messages[6][1] + b"]", ())
    messages[8] = (*messages[8][:2], (("traceparent", b"00-1"),))
    trust = JsonTrust(sources=listed, edges=frozenset({"cdn-c"}))
    by_columns = outcome(messages, trust)
    monkeypatch.setattr(json_columns, "ALIKE_MIN", 10_000)
    assert by_columns == outcome(messages, trust)
    accepted = by_columns[1]
    assert accepted.accepted > 100
    assert accepted.duplicate > 0
    assert accepted.quarantined > 100


def test_ids_and_digests_stored_before_are_known_and_tell_duplicate_from_conflict() -> None:
    before = """
        INSERT INTO json_ids
        SELECT
            '000', $hour, (m >> 64)::UBIGINT, (m & 18446744073709551615)::UBIGINT,
            md5_number_lower(concat_ws('|', $time, 1, 200, 512, 1, 'DE', 'shop.example.com')), 0, 1
        FROM (SELECT md5_number('5:cdn-a' || '1') AS m)
    """
    with duckdb.connect() as connection:
        connection.execute(sql.text("schema/metering"))
        time = EVENT["time"]
        connection.execute(before, {"hour": time // 3_600_000 * 3_600_000, "time": time})
        intake = JsonIntake(7 * DAY, lambda _rejected: None)
        ends = []
        for document in (EVENT, {**EVENT, "status": 404}, {**EVENT, "id": "2"}):
            flush = Flush(partition="000", names=Names())
            batch = SourceBatch(
                partition="000",
                source="t:0",
                position_after="x@1",
                payload=None,
                messages=[message(document)],
            )
            intake.take(flush, batch, NOW)
            intake.settle([(flush, 2)], connection, NOW)
            ends.append((flush.events.accepted, flush.events.duplicate, flush.events.quarantined))
    assert ends == [(0, 1, 0), (0, 0, 1), (1, 0, 0)]


@pytest.mark.parametrize(
    "value",
    [b"", b"{}", b"[]", b'{"id":"1"}', b'{"id":"1","id":"1"}', b'{"id":{}}', b" {}", b"{" * 99],
)
def test_a_message_that_lacks_a_field_or_has_one_twice_teaches_no_layout(value: bytes) -> None:
    assert layout_of(value) is None


def test_json_events_that_claim_more_bytes_than_64_bits_bear_are_refused() -> None:
    flush = Flush(partition="000", names=Names())
    (one,), _ = laid_out_alike(run(*[{**EVENT, "bytes_sent": 1 << 50}] * 64, **TIGHT), BOUNDS)
    count(one, np.zeros(64, dtype=np.int32), [flush])
    assert flush.usage()["bytes_sent"].to_pylist() == [64 << 50]
    many = one.at(np.zeros(1 << 13, dtype=np.int64))
    with pytest.raises(Corrupt, match=f"{1 << 63}"):
        count(many, np.zeros(1 << 13, dtype=np.int32), [flush])
