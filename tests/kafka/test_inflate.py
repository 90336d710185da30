"""Record batches under Kafka's own codecs: unpacked within a bound, or quarantined whole (B13)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record import MemoryRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from confluent_kafka import Producer

from deploy.kafka.broker import Broker
from metering.sources.kafka.bounded_inflate import (
    UNPACKED_MAX,
    Unusable,
    unpack,
    without_compression,
)
from tests.kafka.world import count

MakeHome = Callable[..., Path]
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def _packed(codec: str, content: bytes) -> bytes:
    return bytes(pa.compress(content, codec=codec, asbytes=True))


def _batch(values: list[bytes], compression: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(2, compression, 0, 7, 1, 2, 1 << 20)
    for place, value in enumerate(values):
        builder.append(place, 1_000 + place, b"k", value, [("h", b"x")])
    return bytes(builder.build())


def _read(records: bytes) -> list[tuple[int, bytes | None, int, bytes, tuple[object, ...]]]:
    """As aiokafka reads them, every CRC checked."""
    tp = type("Partition", (), {"topic": "t", "partition": 0})()
    rows = PartitionRecords(tp, MemoryRecords(records), None, 0, None, None, True, 1)
    return [(row.offset, row.key, row.timestamp, row.value, row.headers) for row in rows]


def test_a_compressed_batch_leaves_with_the_same_records_between_its_neighbours() -> None:
    plain, packed = _batch([b"one"]), _batch([b"two" * 50, b"three"], compression=1)
    assert without_compression(plain) is plain
    together = plain + packed + plain[:40]
    made = without_compression(together)
    assert _read(made[:-40]) == _read(plain + _batch([b"two" * 50, b"three"]))
    assert made.endswith(plain[:40]), "a batch cut short by the broker is left to aiokafka"


def test_b14_a_compressed_batch_with_a_wrong_crc_is_left_to_be_refused() -> None:
    packed = bytearray(_batch([b"two" * 50], compression=1))
    packed[-1] ^= 1
    assert without_compression(bytes(packed)) == bytes(packed)


@pytest.mark.parametrize("codec", CODECS)
def test_b13_what_unpacks_beyond_the_bound_is_refused(codec: str) -> None:
    fits = bytes(1_000_000)
    assert unpack(CODECS[codec], _packed(codec, fits), len(fits)) == fits
    with pytest.raises(Unusable, match="more than 999999 bytes"):
        unpack(CODECS[codec], _packed(codec, fits), len(fits) - 1)


def test_snappy_as_java_frames_it_is_read_block_by_block() -> None:
    blocks = [b"a" * 40_000, b"b" * 100]
    framed = b"\x82SNAPPY\x00" + bytes(8)
    for block in blocks:
        packed = _packed("snappy", block)
        framed += len(packed).to_bytes(4, "big") + packed
    assert unpack(2, framed, 1 << 20) == b"".join(blocks)
    with pytest.raises(Unusable):
        unpack(2, framed, 40_099)
    with pytest.raises(Unusable, match="beyond the end"):
        unpack(2, framed[:-1], 1 << 20)


BOMB = """
import sys, zstandard
from aiokafka.record.util import calc_crc32c
from metering.sources.kafka.bounded_inflate import _HEADER, without_compression
tool = zstandard.ZstdCompressor().compressobj()
zeros = bytes(1 << 24)
packed = b"".join(tool.compress(zeros) for _ in range(64)) + tool.flush()
del zeros
batch = bytearray(_HEADER.pack(5, 49 + len(packed), 0, 2, 0, 4, 9, 1, 1, -1, -1, -1, 10) + packed)
batch[17:21] = int(calc_crc32c(bytes(batch[21:]))).to_bytes(4, "big")
made = without_compression(bytes(batch))
# Not ru_maxrss: a child's begins at what its parent had, and pytest may have much.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(len(packed), len(made), int(status["VmHWM"].split()[0]) // 1024)
"""


def test_b13_a_record_batch_that_unpacks_to_one_gib_costs_less_than_256_mb() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BOMB],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    packed, made, peak_mb = map(int, done.stdout.split())
    assert made < packed + 400, "the bytes as they came, for quarantine"
    assert peak_mb < 256


@pytest.mark.needs_kafka
@pytest.mark.xdist_group("kafka")
def test_b13_json_under_every_codec_is_counted_and_a_bomb_is_kept_under_its_hash(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic, metering="json_window_days = 4000")
    event = {"source": "s", "time": 1_790_000_000_000, "domain": "a.example.com", "status": 200}
    event |= {"scheme": "https", "transport": "tcp", "bytes_sent": 10}
    for codec in CODECS:
        producer = Producer(
            {
                "bootstrap.servers": broker.address,
                "compression.codec": codec,
                "message.max.bytes": 100_000_000,
            }
        )
        for number in range(100):
            value = orjson.dumps({**event, "id": f"{codec}-{number}"})
            producer.produce(topic, value, key=b"s", partition=0)
        producer.flush(30)
        producer.produce(topic, bytes(UNPACKED_MAX + 1), key=b"s", partition=0)
        producer.flush(30)
        producer.produce(topic, orjson.dumps({**event, "id": codec}), key=b"s", partition=0)
        producer.flush(30)
    found = count(home, broker.address)
    assert (found["accepted"], found["quarantined"]) == (404, 4)
    kept = [path for path in (home / "quarantine").rglob("*") if path.is_file()]
    assert len([path for path in kept if path.suffix != ".json"]) == 4
