"""Every decoder of the edge, fed with damage: one clear error, or values within the rules."""

from __future__ import annotations

import struct
import tempfile
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from edge.agent.report import read_report
from edge.agent.status import edge_statuses
from edge.batch.arrow_stream import ArrowStreamError, read_stream
from edge.batch.codec import DecodeError, decode_counters, decode_header, decode_packed
from edge.batch.packing import ColumnsError, from_stream
from edge.batch.packing_counters import counters_from_stream
from edge.batch.records import EVENTS_MAX, SourcePosition, totals
from edge.batch.signature import read_registry, verify
from edge.errors import EdgetollError
from edge.event import BYTES_SENT_MAX, STATUS_MAX
from edge.logs.followed import FollowedLog, Log
from edge.logs.formats.shipped import FORMATS
from edge.logs.positions import KnownStreams, StreamPosition
from edge.shipping.binding import read_binding
from edge.spool.durable_end import durable_end_bytes, read_durable_end
from edge.spool.recovery import recover
from edge.spool.segment import acknowledge, end_position, read_acknowledged, read_frames
from edge.spool.spool import Spool, SpoolOptions
from tests.edge.samples import NOON_MS, columns, seeded
from tests.edge.spool.disks import QuickDisk
from tests.fuzz.budget import IN_MEMORY, for_as_long_as_told

GOLDEN = Path(__file__).resolve().parents[1] / "edge" / "batch" / "golden"
BATCHES = [path.read_bytes() for path in sorted(GOLDEN.glob("*.batch"))]
PREFIX = 16


def stream_of(batch: bytes) -> bytes:
    """The Arrow stream in a batch."""
    size = decode_header(batch).payload_size
    return zstandard.ZstdDecompressor().decompress(batch[len(batch) - size :]) if size else b""


STREAMS = [stream for stream in map(stream_of, BATCHES) if stream]


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """`whole` with some bytes changed, cut, doubled or put in."""
    made = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(made)))
        kind = draw(st.sampled_from(["flip", "cut", "insert", "number", "zeros", "double"]))
        if kind == "flip" and place < len(made):
            made[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del made[place : place + draw(st.integers(1, 200))]
        elif kind == "insert":
            made[place:place] = draw(st.binary(max_size=9))
        elif kind == "number":
            value = draw(st.sampled_from([0, 1, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 65_536, 65_537]))
            made[place : place + 4] = struct.pack("<I", value)
        elif kind == "zeros":
            made[place : place + 64] = bytes(len(made[place : place + 64]))
        else:
            made[place:place] = made[place : place + 300]
    return bytes(made)


def decode(data: bytes) -> None:
    """Decode a batch wholly; only DecodeError may be raised, and what decodes keeps the rules."""
    try:
        header = decode_header(data)
        if header.kind == "events":
            events = decode_packed(header, data)
            assert len(events) <= EVENTS_MAX
            plain = events.unpack()
            assert int(plain.status.max()) <= STATUS_MAX
            assert int(plain.bytes_sent.max()) <= BYTES_SENT_MAX
            assert int(totals(events).requests.sum()) == header.requests
        elif header.kind == "counters":
            counters = decode_counters(header, data)
            assert int(counters.status_requests.sum()) == header.requests
        with_registry(header, data)
    except DecodeError:
        pass


def with_registry(header: object, data: bytes) -> None:
    """No damaged batch is one that a known key has signed."""
    verify(header, data, {}, NOON_MS)  # type: ignore[arg-type]


@for_as_long_as_told
@given(data=st.data())
def test_a_damaged_batch_is_refused_or_keeps_the_rules(data: st.DataObject) -> None:
    decode(data.draw(damaged(data.draw(st.sampled_from(BATCHES)))))


@for_as_long_as_told
@given(data=st.one_of(st.binary(max_size=400), st.binary(max_size=400).map(b"ETB\x01".__add__)))
def test_any_bytes_are_a_batch_or_none(data: bytes) -> None:
    decode(data)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(1 << 63), (1 << 64) - 1),
        st.floats(allow_nan=False),
        st.text(max_size=8),
        st.sampled_from(["events", "counters", "heartbeat", "e1", "DE", "0" * 64]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@for_as_long_as_told
@given(data=st.data())
def test_a_header_with_any_values_is_refused_or_decodes(data: st.DataObject) -> None:
    """The checksum fits here: whoever can write a batch can write any header."""
    batch = data.draw(st.sampled_from(BATCHES))
    _, _, length, _, _, _ = struct.unpack_from("<3sBIIHH", batch)
    document = orjson.loads(batch[PREFIX : PREFIX + length])
    for key in data.draw(st.lists(st.sampled_from([*document, "held", "new"]), max_size=3)):
        document[key] = data.draw(JSON)
    header = orjson.dumps(document)
    prefix = struct.pack("<3sBIIHH", b"ETB", 1, len(header), zlib.crc32(header), 0, 0)
    decode(prefix + header + batch[PREFIX + length :])


@for_as_long_as_told
@given(data=st.data())
def test_a_damaged_stream_of_columns_is_refused_or_keeps_the_rules(data: st.DataObject) -> None:
    """Behind the checksum of the payload: what a hostile edge could send."""
    stream = data.draw(damaged(data.draw(st.sampled_from(STREAMS))))
    for read in (from_stream, counters_from_stream):
        try:
            found = read(stream)
        except ColumnsError:
            continue
        assert 0 < len(found) <= EVENTS_MAX
    with suppress(ArrowStreamError):
        read_stream(stream)


def write_spool(folder: Path) -> None:
    """A small spool of three segments, of which one is acknowledged."""
    options = SpoolOptions(segment_bytes=600, reserve_bytes=0)
    with Spool.open(
        folder, "e1", "DE", random64=seeded(), options=options, disk=QuickDisk()
    ) as spool:
        for number in range(3):
            source = SourcePosition(source="log:/a", offset=number, detail='{"open":[]}')
            spool.append(columns(20, seed=number), NOON_MS, (source,))
        position = next(iter(read_frames(folder))).position_after
    acknowledge(folder, spool.status().epoch, 0, position)


FILES = ("durable", "epoch.json", "acknowledged.json", "*.seg", "agent.json", "kafka.json")


@for_as_long_as_told
@given(data=st.data())
def test_a_spool_with_any_damaged_file_is_read_opened_and_told_of(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as home:
        folder = Path(home) / "spool" / "e1"
        write_spool(folder)
        (folder / "agent.json").write_text('{"at_ms": 1, "held": []}')
        for pattern in data.draw(st.lists(st.sampled_from(FILES), min_size=1, max_size=2)):
            paths = sorted(folder.glob(pattern))
            path = data.draw(st.sampled_from(paths)) if paths else folder / pattern
            before = path.read_bytes() if path.exists() else b"{}"
            path.write_bytes(data.draw(st.one_of(damaged(before), st.binary(max_size=30))))
        list(read_frames(folder, max_bytes=1 << 30))
        read_durable_end(folder)
        end_position(folder)
        read_report(folder)
        for read in (read_acknowledged, read_binding, lambda f: recover(f, "e1")):
            with suppress(EdgetollError):
                read(folder)
        (status,) = edge_statuses(Path(home), datetime(2026, 11, 30, tzinfo=UTC)) or [{}]
        assert status.get("edge_id", "e1") == "e1"
        with (
            suppress(EdgetollError),
            Spool.open(folder, "e1", "DE", random64=seeded(9), disk=QuickDisk()) as spool,
        ):
            spool.heartbeat(NOON_MS)


@for_as_long_as_told
@given(raw=st.one_of(JSON.map(orjson.dumps), st.binary(max_size=30)))
@example(raw=b"")
def test_a_durable_end_of_any_values_hides_or_shows_but_never_falls(raw: bytes) -> None:
    """Its checksum fits: another version may have written it, or nobody, where zeros stand."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as home:
        folder = Path(home)
        (folder / "durable").write_bytes(
            struct.pack("<4sII", b"ETd1", len(raw), zlib.crc32(raw)) + raw
        )
        found = read_durable_end(folder)
        assert found is None or durable_end_bytes(found)


@for_as_long_as_told
@given(
    source=st.text(max_size=20),
    detail=st.one_of(st.text(max_size=40), JSON),
    offset=st.integers(0, 99),
)
def test_a_position_of_any_text_is_a_stream_or_of_another_kind(
    source: str, detail: object, offset: int
) -> None:
    text = detail if isinstance(detail, str) else orjson.dumps(detail).decode()
    position = SourcePosition(source=source, offset=offset, detail=text)
    found = StreamPosition.from_source(position)
    assert found is None or isinstance(found.head, str)
    KnownStreams({source: position}).by_source(source)
    FollowedLog.of(Log(path=Path("/a"), form=FORMATS["nginx"]), [], position)


@for_as_long_as_told
@given(entries=JSON)
def test_a_registry_of_any_values_is_read_or_refused(entries: object) -> None:
    with tempfile.NamedTemporaryFile("wb") as file:
        file.write(orjson.dumps(entries))
        file.flush()
        with suppress(EdgetollError):
            read_registry(Path(file.name))
