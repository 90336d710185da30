"""What an event may be, and the first reason why it may not (FAULTS D9 to D14, A12)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.batch.records import CARRIERS, CLASS_OF_CARRIER
from edge.emitter import Emitter
from edge.event import (
    BYTES_SENT_MAX,
    CLASSES,
    DAY_MS,
    TIME_MS_MIN,
    Scheme,
    Transport,
    absurd_time,
    billing_class,
    reject_reason,
)
from edge.logs.formats.shipped import FORMATS
from edge.reasons import Reason
from tests.edge.samples import NOON_MS, event, open_spool, spooled_rows


@pytest.mark.parametrize(
    ("scheme", "transport", "expected"),
    [
        ("http", "tcp", "http"),
        ("https", "tcp", "https"),
        ("https", "quic", "quic"),
        ("http", "quic", "quic"),
    ],
)
def test_the_class_is_quic_else_https_else_http(
    scheme: Scheme, transport: Transport, expected: str
) -> None:
    assert billing_class(scheme, transport) == expected


ANY: Any = None
REJECTED = [
    ({"time_ms": "1"}, Reason.SCHEMA),
    ({"time_ms": 1.5}, Reason.SCHEMA),
    ({"bytes_sent": True}, Reason.SCHEMA),
    ({"bytes_sent": float("nan")}, Reason.SCHEMA),
    ({"bytes_sent": "7"}, Reason.SCHEMA),
    ({"status": None}, Reason.SCHEMA),
    ({"domain": 7}, Reason.SCHEMA),
    ({"cache": "HIT"}, Reason.SCHEMA),
    ({"event_id": ""}, Reason.SCHEMA),
    ({"event_id": "x" * 257}, Reason.SCHEMA),
    ({"event_id": "\ud800"}, Reason.SCHEMA),
    ({"time_ms": TIME_MS_MIN - 1}, Reason.CLOCK),
    ({"time_ms": -1}, Reason.CLOCK),
    ({"time_ms": NOON_MS + DAY_MS + 1}, Reason.CLOCK),
    ({"time_ms": NOON_MS // 1000}, Reason.CLOCK),
    ({"time_ms": NOON_MS * 1000}, Reason.CLOCK),
    ({"scheme": "HTTPS"}, Reason.SCHEME),
    ({"scheme": "h2"}, Reason.SCHEME),
    ({"scheme": "wss"}, Reason.SCHEME),
    ({"transport": "udp"}, Reason.SCHEME),
    ({"status": -1}, Reason.STATUS),
    ({"status": 1000}, Reason.STATUS),
    ({"status": 65_536}, Reason.STATUS),
    ({"bytes_sent": -1}, Reason.BYTES),
    ({"bytes_sent": BYTES_SENT_MAX + 1}, Reason.BYTES),
    ({"bytes_sent": 1 << 63}, Reason.BYTES),
]


@pytest.mark.parametrize(("wrong", "reason"), REJECTED)
def test_d9_to_d14_each_wrong_field_has_its_reason(wrong: dict[str, Any], reason: Reason) -> None:
    assert reject_reason(event(**wrong), NOON_MS) is reason


def test_of_several_wrong_fields_the_first_reason_in_order_is_given() -> None:
    wrong: dict[str, Any] = {}
    for field, reason in (
        ({"bytes_sent": -1}, Reason.BYTES),
        ({"status": 1000}, Reason.STATUS),
        ({"scheme": "h2"}, Reason.SCHEME),
        ({"time_ms": 0}, Reason.CLOCK),
        ({"event_id": ""}, Reason.SCHEMA),
    ):
        wrong |= field
        assert reject_reason(event(**wrong), NOON_MS) is reason
    order = list(Reason)
    assert order.index(Reason.SCHEMA) < order.index(Reason.CLOCK)


@pytest.mark.parametrize(
    "sound",
    [
        {"time_ms": TIME_MS_MIN},
        {"time_ms": NOON_MS + DAY_MS},
        {"status": 0},
        {"status": 99},
        {"status": 599},
        {"bytes_sent": 0},
        {"bytes_sent": BYTES_SENT_MAX},
        {"domain": ""},
        {"domain": "\x00" * 10},
        {"domain": b"\xff"},
        {"cache": None},
        {"event_id": "é" * 128},
    ],
)
def test_values_at_their_limits_are_counted(sound: dict[str, Any]) -> None:
    assert reject_reason(event(**sound), NOON_MS) is None


@given(st.integers(), st.integers(min_value=TIME_MS_MIN, max_value=1 << 45))
def test_a12_a_clock_is_absurd_before_2000_or_more_than_a_day_ahead(time: int, now: int) -> None:
    assert absurd_time(time, now) == (time < TIME_MS_MIN or time - now > DAY_MS)


LINES_OF_ONE_REQUEST = {
    "nginx": '{{"time":"1796000000.000","host":"a.example","scheme":"{scheme}",'
    '"protocol":"{protocol}","status":"200","bytes_sent":"7","cache":"","id":"x"}}\n',
    "nginx-tsv": "1796000000.000\ta.example\t{scheme}\t{protocol}\t200\t7\t-\tx\n",
}


@pytest.mark.parametrize("careful", [False, True])
@pytest.mark.parametrize("form", LINES_OF_ONE_REQUEST)
@pytest.mark.parametrize(("scheme", "transport"), CARRIERS)
def test_every_reader_bills_the_class_that_the_one_function_says(
    scheme: Scheme, transport: Transport, form: str, careful: bool
) -> None:
    protocol = "HTTP/3.0" if transport == "quic" else "HTTP/1.1"
    block = LINES_OF_ONE_REQUEST[form].format(scheme=scheme, protocol=protocol).encode()
    block += b"an odd line ends the fast way\n" if careful else b""
    parsed = FORMATS[form].make().parse(block, NOON_MS + 400 * DAY_MS)
    (code,) = parsed.columns.class_code.tolist()
    assert CLASSES[code] == billing_class(scheme, transport)


@pytest.mark.parametrize(("scheme", "transport"), CARRIERS)
def test_an_emitter_bills_the_class_that_the_one_function_says(
    scheme: Scheme, transport: Transport, tmp_path: Path
) -> None:
    with open_spool(tmp_path) as spool, Emitter(spool, now_ms=lambda: NOON_MS) as emitter:
        assert emitter.emit(event(scheme=scheme, transport=transport))
    ((_, _, carrier, *_),) = spooled_rows(tmp_path)
    assert CLASSES[CLASS_OF_CARRIER[carrier]] == billing_class(scheme, transport)
