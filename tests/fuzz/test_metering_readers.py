"""What metering reads of others, given anything: no traceback, bounded work, a reason for each.

JSON messages and CloudEvents, certificates, checkpoints, requests, status files, and the folders of
spools. Hypothesis prints the seed; EDGETOLL_FUZZ_EXAMPLES says how many are tried of each.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.durable import write_atomically
from edge.errors import Corrupt
from edge.spool.spool import Spool
from metering.closed import Certificate, EdgeEvidence, EpochRange, SequenceGap, Waiver
from metering.counting.flush import Flush, Names
from metering.counting.json_check import Bounds, check
from metering.counting.json_events import JsonIntake
from metering.counting.json_parse import Unreadable, events_of
from metering.counting.records import Rejected
from metering.hours import checkpoint, requests
from metering.settings import MeteringSettings
from metering.sources.source import Message, SourceBatch
from metering.sources.spool import SpoolSource
from metering.status import read_file
from metering.worker.worker import Worker
from tests.fuzz.budget import repeated
from tests.metering.world import HOUR, T0, Edge, Event, World, columns

NOW = 1_790_000_000_000
EXAMPLES = int(os.environ.get("EDGETOLL_FUZZ_EXAMPLES", "60"))
RELAXED = [
    HealthCheck.too_slow,
    HealthCheck.function_scoped_fixture,
    HealthCheck.large_base_example,
]
FUZZ = repeated(settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=RELAXED))
SLOW = repeated(
    settings(max_examples=max(EXAMPLES // 6, 6), deadline=None, suppress_health_check=RELAXED)
)

WORDS = ["https", "http", "tcp", "quic", "1.0", "edgetoll.request.v1", "hit", "miss", "cdn-a"]
TIMES = ["2026-09-21T00:00:00Z", "2026-09-21T00:00:60Z", "9999-12-31T23:59:59+23:59", "0001-01-01"]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 70), 1 << 70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([*WORDS, *TIMES]),
    st.just(NOW),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
KEYS = ["source", "id", "time", "domain", "scheme", "transport", "status", "bytes_sent", "cache"]
KEYS += ["region", "specversion", "type", "data", "version", "datacontenttype"]
documents = st.dictionaries(st.sampled_from(KEYS), values, max_size=14)
nearly = st.fixed_dictionaries(
    {
        "source": st.just("cdn-a") | values,
        "id": st.text(min_size=1, max_size=5) | values,
        "time": st.just(NOW) | values,
        "domain": st.text(max_size=30) | values,
        "scheme": st.sampled_from(["http", "https"]) | values,
        "transport": st.sampled_from(["tcp", "quic"]) | values,
        "status": st.integers(0, 999) | values,
        "bytes_sent": st.integers(0, 1 << 50) | values,
    },
    optional={"cache": values, "region": st.text(max_size=5) | values},
)
events = nearly | documents


def as_json(document: object) -> bytes:
    """A document as bytes, however odd."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


HEADERS = ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"]
SAID = [b"1.0", b"cdn-a", b"edgetoll.request.v1", b"application/cloudevents-batch+json"]
headers = st.dictionaries(st.sampled_from(HEADERS), st.binary(max_size=20) | st.sampled_from(SAID))
messages = st.tuples(
    st.none() | st.binary(max_size=8) | st.just(b"cdn-a"),
    st.one_of(
        st.binary(max_size=200),
        events.map(as_json),
        st.lists(events, max_size=5).map(as_json),
        values.map(as_json),
    ),
    headers.map(lambda found: tuple(found.items())),
)


@FUZZ
@given(messages)
def test_a_json_message_of_any_content_is_counted_or_refused_with_a_reason(
    message: Message,
) -> None:
    found = events_of(message)
    if isinstance(found, Unreadable):
        assert found.reason
        assert found.events >= 1
        return
    checked = check(found, [message[0]] * len(found), Bounds(window_start_ms=0, now_ms=NOW))
    assert len(checked.id) + len(checked.refused) == len(found) >= 1
    assert all(reason and source for _, reason, source in checked.refused)


@FUZZ
@given(st.lists(messages, min_size=1, max_size=6))
def test_a_run_of_messages_adds_up_whatever_is_in_it(run: list[Message]) -> None:
    kept: list[Rejected] = []
    intake = JsonIntake(7 * 86_400_000, kept.append)
    flush = Flush(partition="000", names=Names())
    batch = SourceBatch(
        partition="000", source="t:0", position_after="x@1", payload=None, messages=run
    )
    intake.take(flush, batch, NOW)
    intake._read(NOW)
    held = sum(len(events) for events, _, _ in intake._held)
    assert flush.events.read == flush.events.quarantined + held
    most = sum(len(value) + 1 for _, value, _ in run)
    assert sum(len(one.data) for one in kept) <= 12 * most


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b"[{", b'"', b"-", b"1"])
def test_a_deep_or_long_message_is_refused_before_it_costs_anything(opening: bytes) -> None:
    for count in (20, 1_000, 60_000):
        assert isinstance(events_of((b"cdn-a", opening * count, ())), Unreadable)


CERTIFICATE = Certificate(
    hour="2026-10-31T05",
    partition="spool",
    revision=0,
    state="incomplete",
    closed_at="2026-10-31T06:02:00.000Z",
    data_file="partition=spool.r0.parquet",
    data_sha256="0" * 64,
    previous_certificate_sha256=None,
    number=1,
    rows=1,
    requests=1,
    bytes_sent=1,
    duplicates=0,
    quarantined=0,
    edges=(
        EdgeEvidence(
            edge_id="edge-1",
            region="de",
            watermark=None,
            epochs=(EpochRange(epoch=1, first_sequence=0, last_sequence=1, batches=2, events=1),),
            gaps=(SequenceGap(epoch=1, first_sequence=2, last_sequence=None),),
        ),
    ),
    missing_edges=("edge-2",),
    waivers=(Waiver(edge_id="edge-3", by="kim", reason="disk", at="now"),),
    unproven_sources=("cdn-a",),
    generation=1,
    checkpoint=1,
).to_bytes()


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes with pieces cut out, put in and changed."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 8))
        data[place : place + length] = draw(st.binary(max_size=8))
    return bytes(data)


@st.composite
def changed(draw: st.DrawFn, whole: bytes) -> bytes:
    """A JSON document in which some value is another, or is gone."""
    document: Any = json.loads(whole)
    place = document
    while place:
        keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
            place = place[key]
            continue
        if isinstance(place, dict) and draw(st.booleans()):
            del place[key]
        else:
            place[key] = draw(values)
        break
    return as_json(document)


@FUZZ
@given(damaged(CERTIFICATE) | changed(CERTIFICATE) | st.binary(max_size=100) | values.map(as_json))
def test_a_certificate_of_any_content_is_one_or_is_named_corrupt(data: bytes) -> None:
    with suppress(Corrupt):
        found = Certificate.from_bytes(data)
        assert found.to_bytes()
        assert all(isinstance(one, EdgeEvidence) for one in found.edges)


@pytest.fixture(scope="module")
def drained(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A home with a closed hour, a checkpoint and a status."""
    world = World(tmp_path_factory.mktemp("drained"))
    edge = Edge()
    world.drain(edge.batch(Event(), Event(at=T0 + HOUR)), edge.heartbeat(T0 + HOUR))
    return world


@FUZZ
@given(data=st.data())
def test_a_checkpoint_of_any_content_is_whole_or_is_named_corrupt(
    data: st.DataObject, drained: World, tmp_path: Path
) -> None:
    number = checkpoint.numbers(drained.home, "spool")[-1]
    whole = checkpoint.path_of(drained.home, "spool", number).read_bytes()
    path = tmp_path / "000000000001.checkpoint"
    path.write_bytes(data.draw(damaged(whole) | st.binary(max_size=200)))
    with suppress(Corrupt):
        checkpoint.read(path)
        assert path.read_bytes() == whole


@FUZZ
@given(data=st.data())
def test_a_status_of_any_content_is_one_or_is_named_corrupt(
    data: st.DataObject, drained: World, tmp_path: Path
) -> None:
    whole = (drained.home / "live" / "status.json").read_bytes()
    path = tmp_path / "status.json"
    path.write_bytes(data.draw(damaged(whole) | changed(whole) | values.map(as_json)))
    with suppress(Corrupt):
        assert isinstance(read_file(path).accepted, int)


REQUEST = as_json(
    {
        "kind": "waive",
        "edge_id": "edge-1",
        "hour": "2026-10-31T05",
        "by": "kim",
        "reason": "disk",
        "at": "2026-10-31T06:00:00+00:00",
    }
)


@FUZZ
@given(damaged(REQUEST) | changed(REQUEST) | values.map(as_json))
def test_a_request_of_any_content_is_one_or_is_named_corrupt(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    home = tmp_path_factory.mktemp("requests")
    write_atomically(home / "requests" / "20261031T060000000000Z-waive-00000000.json", data)
    with suppress(Corrupt):
        requests.read(home)


FILES = ("durable", "epoch.json", "acknowledged.json", "segment")


@SLOW
@given(data=st.data())
def test_a_spool_folder_of_any_content_is_read_or_told(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("spools")
    folder = home / "spool" / "edge-1"
    with Spool.open(folder, "edge-1", "de", random64=lambda: 7) as spool:
        for number in range(3):
            spool.append(columns([Event(at=T0 + number)]), watermark_ms=T0 + HOUR)
    (segment,) = folder.glob("*.seg")
    for name in data.draw(st.lists(st.sampled_from(FILES), min_size=1, max_size=2, unique=True)):
        path = segment if name == "segment" else folder / name
        whole = path.read_bytes() if path.exists() else b""
        used = whole.rstrip(b"\0") if name == "durable" else whole
        content = data.draw(st.none() | damaged(used) | st.binary(max_size=80))
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
            os.utime(path, (1, 1))
    worker = Worker(
        home, SpoolSource(home), MeteringSettings(threads=1), clock=lambda: T0 + 2 * HOUR
    )
    try:
        worker.start()
        met = worker.drain()
        tally = worker._partitions["spool"].state.events
    finally:
        worker.stop()
    nothing_left = not segment.exists() and not (folder / "durable").exists()
    assert tally.adds_up
    assert tally.accepted == 3 or met.told or nothing_left
