"""What else chaos does beside killing: answers cut off, batches sent again and out of order."""

from __future__ import annotations

import random
from pathlib import Path

from bench.kafka.faultproxy import FaultProxy
from edge.shipping.binding import read_binding
from edge.spool.segment import read_frames, spool_folders


def cut_answers(proxy: FaultProxy, rng: random.Random, most: int = 3) -> None:
    """Cut the connection instead of passing on one of the next few answers, up to `most` times.

    What the broker was asked for it has done: its client only never hears of it (FAULTS B4).
    """
    left = rng.randrange(1, most + 1)

    def one(data: bytes) -> bytes | None:
        nonlocal left
        if left <= 0 or rng.random() < 0.5:
            return data
        left -= 1
        return None

    proxy.on_answer = one


def send_shuffled(home: Path, address: str, topic: str, rng: random.Random) -> int:
    """Send batches of one spool to their partition in any order, some of them twice.

    Those the edge has not sent yet come out of order, all others again (FAULTS B5, B6). Gives how
    many were sent.
    """
    from confluent_kafka import Producer

    folder = rng.choice(spool_folders(home))
    binding = read_binding(folder)
    if binding is None:
        return 0
    frames = [frame.payload for frame in read_frames(folder) if not frame.damaged]
    chosen = rng.choices(frames, k=min(40, len(frames))) if frames else []
    rng.shuffle(chosen)
    partitions = sorted(set(binding.partitions.values()))
    producer = Producer({"bootstrap.servers": address, "message.max.bytes": 4_000_000})
    for payload in chosen:
        producer.produce(topic, payload, key=folder.name.encode(), partition=partitions[0])
    producer.flush(10)
    return len(chosen)
