"""Format version 1 is for ever: files written by the first release decode to the same values.

`python -m tests.edge.test_golden` writes the files that do not exist yet; a file once released is
never written again. A later version adds files, and this test keeps the old ones (FAULTS D16).
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import zstandard

from edge.batch import codec
from edge.batch.packing import pack
from edge.batch.records import EventColumns, SourcePosition, totals
from edge.event import STATUS_CLASSES
from edge.spool.segment import read_frames
from edge.spool.spool import Spool, SpoolOptions
from tests.edge.samples import NOON_MS, rows

GOLDEN = Path(__file__).parent / "golden"


def sample() -> EventColumns:
    """Events made by hand, so that no library's random numbers decide what is golden."""
    count = 600
    numbers = np.arange(count)
    return EventColumns(
        domains=("", *(f"d{n}.example" for n in range(299))),
        domain_index=(numbers * 7 % 300).astype(np.int32),
        time_ms=NOON_MS + numbers * 1013 % 700_001,
        carrier=(numbers % 4).astype(np.uint8),
        status=(numbers * 11 % 600).astype(np.uint16),
        cache=(numbers % 3).astype(np.uint8),
        bytes_sent=numbers.astype(np.int64) ** 4,
        event_ids=[None if n % 5 else f"id-{n}" for n in numbers.tolist()],
    )


def sample_to_999() -> EventColumns:
    """The same with statuses from 400 to 999, which version 1 may hold since statuses go to 999."""
    return replace(sample(), status=(400 + np.arange(600) * 11 % 600).astype(np.uint16))


def identity(sequence: int) -> dict[str, object]:
    """A fixed identity."""
    return {
        "edge_id": "golden-1",
        "region": "DE",
        "epoch": 4_611_686_018_427_387_905,
        "sequence": sequence,
        "watermark_ms": NOON_MS - 1,
        "sources": (SourcePosition(source="/log", offset=9, generation=2, fingerprint="ab"),),
        "previous_epoch": (7, 8) if sequence == 0 else None,
    }


def batches() -> dict[str, bytes]:
    """The batches of version 1, by file name."""
    return {
        "v1-events.batch": codec.encode_events(sample(), **identity(0)),
        "v1-counters.batch": codec.encode_counters(totals(pack(sample())), **identity(1)),
        "v1-events-to-999.batch": codec.encode_events(sample_to_999(), **identity(3)),
        "v1-counters-to-999.batch": codec.encode_counters(
            totals(pack(sample_to_999())), **identity(4)
        ),
        "v1-heartbeat.batch": codec.encode_heartbeat(**identity(2)),
    }


def write_spool(folder: Path) -> None:
    """A spool of two segments and a torn tail."""
    options = SpoolOptions(segment_bytes=4000, reserve_bytes=0)
    with Spool.open(folder, "golden-1", "DE", random64=lambda: 7, options=options) as spool:
        spool.append(sample(), NOON_MS, (SourcePosition(source="/log", offset=1),))
        spool.heartbeat(NOON_MS + 1, (SourcePosition(source="/log", offset=2),))
    (folder / "writer.lock").unlink()
    with open(folder / f"{2:020d}.seg", "ab") as file:
        file.write(b"\xf5ETs torn")


def test_d16_batches_of_version_1_decode_to_the_same_values_for_ever() -> None:
    data = (GOLDEN / "v1-events.batch").read_bytes()
    header = codec.decode_header(data)
    assert header.identity == ("golden-1", 4_611_686_018_427_387_905, 0)
    assert header.previous_epoch == (7, 8)
    assert header.sources[0].fingerprint == "ab"
    assert rows(codec.decode_events(header, data)) == rows(sample())
    data = (GOLDEN / "v1-counters.batch").read_bytes()
    header = codec.decode_header(data)
    counters = codec.decode_counters(header, data)
    assert header.requests == int(counters.requests.sum()) == 600
    assert int(counters.bytes_sent.sum()) == sum(n**4 for n in range(600))
    heartbeat = codec.decode_header((GOLDEN / "v1-heartbeat.batch").read_bytes())
    assert (heartbeat.kind, heartbeat.watermark_ms) == ("heartbeat", NOON_MS - 1)


def stream_of(data: bytes) -> pa.RecordBatch:
    """The columns of a batch as any Arrow implementation reads them."""
    header = codec.decode_header(data)
    stream = zstandard.ZstdDecompressor().decompress(data[len(data) - header.payload_size :])
    return pa.ipc.open_stream(stream).read_next_batch()


def test_e4_a_status_from_600_on_is_carried_as_itself_and_counted_as_other() -> None:
    data = (GOLDEN / "v1-events-to-999.batch").read_bytes()
    events = codec.decode_events(codec.decode_header(data), data)
    assert rows(events) == rows(sample_to_999())
    data = (GOLDEN / "v1-counters-to-999.batch").read_bytes()
    counters = codec.decode_counters(codec.decode_header(data), data)
    assert counters.status_requests.sum(axis=0).tolist() == [0, 0, 0, 0, 100, 100, 400]
    assert int(counters.requests.sum()) == 600


def test_e4_batches_without_such_a_status_are_what_a_decoder_of_before_takes() -> None:
    """It takes exactly these columns and statuses to 599; with others it refuses the batch."""
    for name in ("v1-events.batch", "v1-counters.batch"):
        old, new = stream_of((GOLDEN / name).read_bytes()), stream_of(batches()[name])
        assert new.equals(old)
        assert new.schema.equals(old.schema)
    new_kind = stream_of((GOLDEN / "v1-counters-to-999.batch").read_bytes())
    old_kind = stream_of((GOLDEN / "v1-counters.batch").read_bytes())
    assert set(new_kind.schema.names) - set(old_kind.schema.names) == {"status_other"}


def test_e4_counters_of_before_have_no_other_statuses() -> None:
    data = (GOLDEN / "v1-counters.batch").read_bytes()
    counters = codec.decode_counters(codec.decode_header(data), data)
    assert counters.status_requests.shape[1] == len(STATUS_CLASSES)
    assert not counters.status_requests[:, -1].any()


def test_d16_the_header_of_version_1_is_written_as_it_was() -> None:
    """Payloads may compress differently in a later library; what they hold may not."""
    for name, data in batches().items():
        golden = codec.decode_header((GOLDEN / name).read_bytes())
        written = codec.decode_header(data)
        assert written.identity == golden.identity
        assert (written.events, written.requests) == (golden.events, golden.requests)
        assert written.sources == golden.sources


def test_d16_a_spool_of_version_1_is_read_and_gone_on_with(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    shutil.copytree(GOLDEN / "v1-spool", folder)
    frames = list(read_frames(folder))
    assert [codec.decode_header(frame.payload).kind for frame in frames] == ["events", "heartbeat"]
    with Spool.open(folder, "golden-1", "DE", random64=lambda: 1) as spool:
        assert spool.positions()["/log"].offset == 2
        assert spool.status().bytes_cut == 9
        assert spool.heartbeat(NOON_MS) == (7, 2)


def test_d16_no_golden_file_has_been_written_again() -> None:
    known = dict(line.split()[::-1] for line in (GOLDEN / "SHA256SUMS").read_text().splitlines())
    assert known == sums()


def sums() -> dict[str, str]:
    """The hash of each golden file, by name."""
    files = sorted(path for path in GOLDEN.rglob("*") if path.is_file())
    return {
        path.relative_to(GOLDEN).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != "SHA256SUMS"
    }


def write() -> None:
    """Write what does not exist yet."""
    for name, data in batches().items():
        if not (GOLDEN / name).exists():
            (GOLDEN / name).write_bytes(data)
    if not (GOLDEN / "v1-spool").exists():
        write_spool(GOLDEN / "v1-spool")
    lines = [f"{digest}  {name}\n" for name, digest in sums().items()]
    (GOLDEN / "SHA256SUMS").write_text("".join(lines))


if __name__ == "__main__":
    write()
