"""Batches out and in: every value survives, every broken rule has its reason (FAULTS D9 to D20)."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.batch import codec
from edge.batch.codec import BatchTooLarge, DecodeError, Limits
from edge.batch.packing import pack, to_stream
from edge.batch.records import EVENTS_MAX, EventColumns, SourcePosition, totals
from edge.errors import InputError
from edge.event import BYTES_SENT_MAX
from edge.reasons import Reason
from edge.spool.full_disk_counters import CounterStore
from tests.edge.samples import IDENTITY, NOON_MS, THOROUGH, columns, counted, rows, some

_NAMES = st.sampled_from(["", "a.example", "b.example", "www." + "c" * 60 + ".example"])
_EVENT = st.tuples(
    st.one_of(
        st.integers(NOON_MS, NOON_MS + 400_000), st.integers(0, (1 << 48) - 1), st.just(NOON_MS)
    ),
    _NAMES,
    st.integers(0, 3),
    st.integers(0, 599),
    st.integers(0, 2),
    st.one_of(st.integers(0, 70_000), st.integers(0, BYTES_SENT_MAX)),
    st.one_of(st.none(), st.text(min_size=1, max_size=40)),
)


def made_of(events: list[tuple[Any, ...]]) -> EventColumns:
    """Columns of events given one by one."""
    times, names, carriers, statuses, caches, sizes, ids = zip(*events, strict=True)
    domains = tuple(dict.fromkeys(names))
    return EventColumns(
        domains=domains,
        domain_index=np.array([domains.index(name) for name in names], dtype=np.int32),
        time_ms=np.array(times, dtype=np.int64),
        carrier=np.array(carriers, dtype=np.uint8),
        status=np.array(statuses, dtype=np.uint16),
        cache=np.array(caches, dtype=np.uint8),
        bytes_sent=np.array(sizes, dtype=np.int64),
        event_ids=list(ids),
    )


def encoded(events: EventColumns, **other: Any) -> bytes:
    """`events` as one batch of a fixed identity."""
    return codec.encode_events(events, **(IDENTITY | other))


def reheaded(data: bytes, **changes: Any) -> bytes:
    """The batch with another header, its CRC made to fit."""
    length = struct.unpack_from("<I", data, 4)[0]
    document = orjson.loads(data[16 : 16 + length]) | changes
    header = orjson.dumps({key: value for key, value in document.items() if value != "absent"})
    prefix = struct.pack("<3sBIIHH", b"ETB", 1, len(header), zlib.crc32(header), 0, 0)
    return prefix + header + data[16 + length :]


def with_payload(data: bytes, payload: bytes, raw_size: int) -> bytes:
    """The batch around another payload, its hash and sizes made to fit."""
    size = codec.decode_header(data).payload_size
    return reheaded(
        data[: len(data) - size] + payload,
        payload_sha256=hashlib.sha256(payload).hexdigest(),
        payload_size=len(payload),
        raw_size=raw_size,
    )


def refusal(data: bytes, limits: Limits = codec.LIMITS) -> Reason:
    """Why a decoder refuses `data`."""
    with pytest.raises(DecodeError) as refused:
        codec.decode_events(codec.decode_header(data, limits), data, limits)
    return refused.value.reason


@given(st.lists(_EVENT, min_size=1, max_size=60))
def test_every_value_of_every_event_survives(events: list[tuple[Any, ...]]) -> None:
    given_columns = made_of(events)
    data = encoded(given_columns)
    header = codec.decode_header(data)
    found = codec.decode_events(header, data)
    assert rows(found) == rows(given_columns)
    assert np.all(found.time_ms[1:] >= found.time_ms[:-1])
    assert (header.events, header.requests) == (len(events), len(events))
    assert header.first_time_ms == min(given_columns.time_ms)
    assert header.last_time_ms == max(given_columns.time_ms)


@given(st.lists(_EVENT, min_size=1, max_size=200))
@settings(max_examples=400 if THOROUGH else 60)
def test_totals_are_those_of_counting_one_by_one(events: list[tuple[Any, ...]]) -> None:
    given_columns = made_of(events)
    store = CounterStore()
    store.add(totals(pack(given_columns)))
    assert store._counts == counted(given_columns)


def test_totals_stay_exact_beyond_what_a_float_can_hold() -> None:
    sizes = np.full(4096, BYTES_SENT_MAX, dtype=np.int64) - np.arange(4096)
    same = columns(4096, domain_index=np.zeros(4096, dtype=np.int32), bytes_sent=sizes)
    counters = totals(pack(replace(same, carrier=np.ones(4096, dtype=np.uint8))))
    assert counters.bytes_sent.tolist() == [sum(sizes.tolist())]


def test_counters_survive_and_count_for_their_requests() -> None:
    counters = totals(pack(columns(5000, span_ms=2_000_000)))
    data = codec.encode_counters(counters, **IDENTITY)
    header = codec.decode_header(data)
    found = codec.decode_counters(header, data)
    assert (header.kind, header.events, header.requests) == ("counters", len(counters), 5000)
    store, expected = CounterStore(), CounterStore()
    store.add(found)
    expected.add(counters)
    assert store._counts == expected._counts


def test_a_header_is_read_without_its_payload_and_holds_what_was_said() -> None:
    sources = (
        SourcePosition(
            source="/var/log/a.log", offset=7, generation=2, fingerprint="f", detail="d"
        ),
        SourcePosition(source="b", offset=0),
    )
    data = encoded(columns(), sources=sources, previous_epoch=(5, 9))
    header = codec.decode_header(data)
    assert header.identity == ("fra-1", 77, 3)
    assert header.sources == sources
    assert header.previous_epoch == (5, 9)
    assert header.payload_sha256 == hashlib.sha256(data[-header.payload_size :]).hexdigest()


def test_a_heartbeat_is_a_header_alone() -> None:
    data = codec.encode_heartbeat(**IDENTITY)
    header = codec.decode_header(data)
    assert (header.kind, header.events, header.payload_size) == ("heartbeat", 0, 0)
    assert header.watermark_ms == NOON_MS


def test_the_same_events_encode_to_the_same_bytes() -> None:
    assert encoded(columns(500)) == encoded(columns(500))


def test_twenty_thousand_events_take_less_than_five_bytes_each() -> None:
    assert len(encoded(columns(20_000))) < 5 * 20_000


def test_a_block_for_each_column_is_smaller_and_any_decoder_of_zstd_reads_it() -> None:
    stream = to_stream(pack(columns(20_000)))
    data = codec.pack_events(columns(20_000)).data
    assert zstandard.ZstdDecompressor().decompress(data) == stream
    assert 20 * len(data) < 19 * len(zstandard.ZstdCompressor(level=1).compress(stream))


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("time_ms", -1, "clock"),
        ("time_ms", 1 << 48, "clock"),
        ("domain_index", 40, "schema"),
        ("domain_index", -1, "schema"),
        ("carrier", 4, "scheme"),
        ("status", 1000, "status"),
        ("cache", 3, "schema"),
        ("bytes_sent", -1, "bytes"),
        ("bytes_sent", BYTES_SENT_MAX + 1, "bytes"),
    ],
)
def test_d9_to_d12_an_impossible_value_never_gets_into_a_batch(
    column: str, value: int, reason: str
) -> None:
    wrong = getattr(columns(50), column).astype(np.int64)
    wrong[17] = value
    with pytest.raises(InputError) as refused:
        encoded(columns(50, **{column: wrong}))
    assert refused.value.message.startswith(f"{reason}: ")


def test_d9_a_column_of_floats_never_gets_into_a_batch() -> None:
    with pytest.raises(InputError):
        encoded(columns(5, bytes_sent=np.ones(5)))


def test_a_domain_that_is_not_canonical_never_gets_into_a_batch() -> None:
    for name in ("ü.example", "a\nb.example", "x" * 254):
        with pytest.raises(InputError):
            encoded(columns(1, domains=(name,), domain_index=np.zeros(1, dtype=np.int32)))


def test_d20_no_events_and_too_many_events_are_no_batch() -> None:
    with pytest.raises(BatchTooLarge):
        encoded(columns(1).slice(0, 0))
    with pytest.raises(BatchTooLarge):
        encoded(columns(EVENTS_MAX + 1))
    data = encoded(columns(EVENTS_MAX))
    assert len(codec.decode_events(codec.decode_header(data), data)) == EVENTS_MAX


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "future"}, Reason.VERSION),
        ({"edge_id": ""}, Reason.SCHEMA),
        ({"edge_id": "../x"}, Reason.SCHEMA),
        ({"edge_id": "absent"}, Reason.SCHEMA),
        ({"region": "a\nb"}, Reason.SCHEMA),
        ({"epoch": -1}, Reason.SCHEMA),
        ({"epoch": 1 << 63}, Reason.SCHEMA),
        ({"sequence": 1.5}, Reason.SCHEMA),
        ({"sequence": True}, Reason.SCHEMA),
        ({"events": 0, "requests": 0}, Reason.SCHEMA),
        ({"events": 9, "requests": 9}, Reason.SCHEMA),
        ({"events": 1 << 31, "requests": 1 << 31}, Reason.TOO_LARGE),
        ({"requests": 11}, Reason.SCHEMA),
        ({"first_time_ms": NOON_MS - 1}, Reason.CLOCK),
        ({"last_time_ms": 1 << 50}, Reason.CLOCK),
        ({"first_time_ms": NOON_MS + 10**9}, Reason.CLOCK),
        ({"payload_sha256": "0" * 64}, Reason.CHECKSUM),
        ({"payload_sha256": "zz"}, Reason.SCHEMA),
        ({"payload_size": 1}, Reason.CHECKSUM),
        ({"raw_size": 1}, Reason.CHECKSUM),
        ({"sources": 7}, Reason.SCHEMA),
        ({"sources": [7]}, Reason.SCHEMA),
        ({"sources": [{"source": "a", "offset": -1}]}, Reason.SCHEMA),
        ({"previous_epoch": [1]}, Reason.SCHEMA),
        ({"previous_epoch": "no"}, Reason.SCHEMA),
        ({"watermark_ms": 1 << 60}, Reason.CLOCK),
    ],
)
def test_d20_a_header_that_breaks_a_rule_has_its_reason(
    changes: dict[str, Any], reason: Reason
) -> None:
    assert refusal(reheaded(encoded(columns()), **changes)) is reason


def test_d15_unknown_fields_are_ignored_and_an_unknown_version_has_its_reason() -> None:
    data = encoded(columns())
    assert codec.decode_header(reheaded(data, shoe_size=44)) == codec.decode_header(data)
    assert refusal(data[:3] + b"\x02" + data[4:]) is Reason.VERSION


def test_bytes_that_are_no_batch_have_their_reason() -> None:
    for noise in (b"", b"ETB", b"\x00" * 100, b'{"time": 1}' * 9):
        assert refusal(noise) is Reason.SYNTAX


def test_limits_hold_at_the_limit_and_one_beyond() -> None:
    data = encoded(columns(2000))
    header = codec.decode_header(data)
    size, raw = len(data), header.raw_size
    assert len(codec.decode_events(header, data, Limits(wire_bytes=size))) == 2000
    assert refusal(data, Limits(wire_bytes=size - 1)) is Reason.TOO_LARGE
    assert len(codec.decode_events(header, data, Limits(raw_bytes=raw))) == 2000
    assert refusal(data, Limits(raw_bytes=raw - 1)) is Reason.TOO_LARGE
    assert len(codec.decode_events(header, data, Limits(events=2000))) == 2000
    assert refusal(data, Limits(events=1999)) is Reason.TOO_LARGE
    header_bytes = struct.unpack_from("<I", data, 4)[0]
    assert codec.decode_header(data, Limits(header_bytes=header_bytes)) == header
    assert refusal(data, Limits(header_bytes=header_bytes - 1)) is Reason.TOO_LARGE


def test_a_decompression_bomb_is_refused_before_it_grows() -> None:
    bomb = zstandard.ZstdCompressor(level=1).compress(b"\x00" * (16 << 20))
    data = with_payload(encoded(columns()), bomb, 16 << 20)
    assert refusal(data) is Reason.RATIO
    huge = zstandard.ZstdCompressor(level=1).compress(b"\x00" * ((16 << 20) + 1))
    assert refusal(with_payload(encoded(columns()), huge, (16 << 20) + 1)) is Reason.TOO_LARGE


def test_a_frame_that_hides_its_size_is_refused() -> None:
    hidden = zstandard.ZstdCompressor(write_content_size=False).compress(b"\x00" * 4096)
    assert refusal(with_payload(encoded(columns()), hidden, 4096)) is Reason.TOO_LARGE


def test_bytes_after_the_frame_are_refused() -> None:
    data = encoded(columns())
    header = codec.decode_header(data)
    payload = data[-header.payload_size :] + zstandard.ZstdCompressor().compress(b"more")
    assert refusal(with_payload(data, payload, header.raw_size)) is Reason.CHECKSUM


Parts = dict[str, Any]


def stream_of(parts: Parts, tables: dict[bytes, bytes], compression: str | None = None) -> bytes:
    """Columns and tables as Arrow writes them."""
    batch = pa.record_batch([*parts.values()], names=[*parts])
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch, custom_metadata=tables)
    return bytes(sink.getvalue().to_pybytes())


def refused_stream(stream: bytes) -> Reason:
    """Why a decoder refuses a payload of `stream`."""
    payload = zstandard.ZstdCompressor().compress(stream)
    return refusal(with_payload(encoded(columns()), payload, len(stream)))


def sample() -> tuple[Parts, dict[bytes, bytes]]:
    """Columns and tables of the ten sample events, as Arrow itself reads them."""
    with pa.ipc.open_stream(to_stream(pack(columns()))) as reader:
        batch, tables = reader.read_next_batch_with_custom_metadata()
    return dict(zip(batch.schema.names, batch.columns, strict=True)), dict(tables)


def test_arrow_reads_what_we_write_and_we_read_what_arrow_writes() -> None:
    parts, tables = sample()
    assert set(parts) == {"time_step", "outcome", "domain_0", *(f"bytes_{i}" for i in range(3))}
    stream = stream_of(parts, tables)
    payload = zstandard.ZstdCompressor().compress(stream)
    data = with_payload(encoded(columns()), payload, len(stream))
    assert rows(codec.decode_events(codec.decode_header(data), data)) == rows(columns())


def test_compression_inside_the_stream_never_reaches_arrow() -> None:
    parts, tables = sample()
    for kind in ("zstd", "lz4"):
        assert refused_stream(stream_of(parts, tables, kind)) is Reason.SCHEMA


@pytest.mark.parametrize(
    ("name", "array", "reason"),
    [
        ("time_step", None, Reason.SCHEMA),
        ("outcome", None, Reason.SCHEMA),
        ("client_ip", pa.array(["192.0.2.1"] * 10), Reason.SCHEMA),
        ("path", pa.array([1] * 10, pa.uint8()), Reason.SCHEMA),
        ("time_step", pa.array([1] * 10, pa.uint8()), Reason.CLOCK),
        ("time_step", pa.array([0] * 9 + [1 << 60], pa.uint64()), Reason.CLOCK),
        ("time_step", pa.array([0.0] * 10), Reason.SCHEMA),
        ("time_step", pa.array([0] * 9 + [None], pa.uint8()), Reason.SCHEMA),
        ("outcome", pa.array([200] * 10, pa.uint8()), Reason.SCHEMA),
        ("domain_0", pa.array([40] * 10, pa.uint8()), Reason.SCHEMA),
        ("domain_0", pa.array([0] * 10, pa.uint32()), Reason.SCHEMA),
        ("bytes_0", pa.array([0] * 10, pa.uint16()), Reason.SCHEMA),
        ("bytes_6", pa.array([255] * 10, pa.uint8()), Reason.SCHEMA),
        ("event_id", pa.array([1] * 10), Reason.SCHEMA),
        ("event_id", pa.array(["x" * 257] * 10), Reason.SCHEMA),
    ],
)
def test_d9_to_d12_a_column_that_breaks_a_rule_has_its_reason(
    name: str, array: Any, reason: Reason
) -> None:
    parts, tables = sample()
    parts.pop(name, None)
    if array is not None:
        parts[name] = array
    assert refused_stream(stream_of(parts, tables)) is reason


def test_d10_bytes_above_the_cap_are_refused() -> None:
    parts, tables = sample()
    for width, reason in ((7, Reason.BYTES), (8, Reason.SCHEMA)):
        planes = {f"bytes_{i}": pa.array([255] * 10, pa.uint8()) for i in range(width)}
        assert refused_stream(stream_of(parts | planes, tables)) is reason


@pytest.mark.parametrize(
    ("table", "content", "reason"),
    [
        (b"domains", b"x" * 254, Reason.HOST_TOO_LONG),
        (b"domains", "ü".encode(), Reason.SCHEMA),
        (b"domains", b"", Reason.SCHEMA),
        (b"outcomes", b"", Reason.SCHEMA),
        (b"outcomes", b"\x00\x40" * 10, Reason.SCHEME),
        (b"outcomes", struct.pack("<H", 1000 << 2) * 10, Reason.STATUS),
        (b"outcomes", struct.pack("<H", 3) * 10, Reason.SCHEMA),
    ],
)
def test_d11_d12_a_table_that_breaks_a_rule_has_its_reason(
    table: bytes, content: bytes, reason: Reason
) -> None:
    parts, tables = sample()
    assert refused_stream(stream_of(parts, tables | {table: content})) is reason


def test_a_missing_table_has_its_reason() -> None:
    parts, tables = sample()
    assert refused_stream(stream_of(parts, {b"domains": tables[b"domains"]})) is Reason.SCHEMA
    assert refused_stream(stream_of(parts, {})) is Reason.SCHEMA


def test_a_stream_of_two_record_batches_is_refused() -> None:
    parts, tables = sample()
    batch = pa.record_batch([*parts.values()], names=[*parts])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch, custom_metadata=tables)
        writer.write_batch(batch, custom_metadata=tables)
    assert refused_stream(bytes(sink.getvalue().to_pybytes())) is Reason.SCHEMA


def test_every_bit_flipped_and_every_cut_of_a_batch_is_refused_or_harmless() -> None:
    """No single damage changes what is counted: it is refused, by a reason, whatever it hits."""
    data = encoded(columns(300, seed=4))
    for place in some(range(len(data)), 7):
        for bit in (0, 7):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            assert isinstance(refusal(bytes(flipped)), Reason)
        assert isinstance(refusal(data[:place]), Reason)
    assert isinstance(refusal(data + b"\x00"), Reason)


@given(st.binary(max_size=600))
def test_any_bytes_as_a_stream_are_refused_without_a_crash(noise: bytes) -> None:
    assert isinstance(refused_stream(noise), Reason)


@given(st.data())
@settings(max_examples=2000 if THOROUGH else 100)
def test_any_damage_inside_the_stream_is_refused_or_decodes_within_the_rules(
    data: st.DataObject,
) -> None:
    """Below the hash: what an edge gone mad may sign. It may be wrong, never out of bounds."""
    stream = bytearray(to_stream(pack(columns())))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    payload = zstandard.ZstdCompressor().compress(bytes(stream))
    batch = with_payload(encoded(columns()), payload, len(stream))
    try:
        found = codec.decode_events(codec.decode_header(batch), batch)
    except DecodeError:
        return
    assert len(found) == 10
    assert found.bytes_sent.min() >= 0
    assert found.bytes_sent.max() <= BYTES_SENT_MAX
    assert found.status.max() <= 999
    assert found.domain_index.max() < len(found.domains)
