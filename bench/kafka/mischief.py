"""What else chaos does beside killing: answers cut, batches and JSON events sent again."""

from __future__ import annotations

import json
import random
from pathlib import Path

from bench.kafka.faultproxy import FaultProxy
from bench.kafka.traffic import HOUR_MS, START_MS, Truth
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


class JsonTraffic:
    """Events sent one by one, some of them twice, in two layouts; `truth` counts each once."""

    def __init__(self, truth: Truth, rng: random.Random) -> None:
        self.truth = truth
        self.rng = rng
        self.sent: list[tuple[str, bytes]] = []

    def send(self, address: str, topic: str, hour: int) -> None:
        """New events of an hour, among some that were sent before."""
        rng = self.rng
        new = [self._event(START_MS + hour * HOUR_MS + rng.randrange(HOUR_MS)) for _ in range(150)]
        self._produce(address, topic, [*new, *rng.choices(new + self.sent, k=100)])
        self.sent += new

    def send_all_again(self, address: str, topic: str) -> None:
        """Everything: what a broker that died never kept is there at last."""
        self._produce(address, topic, self.sent)

    def _event(self, time_ms: int) -> tuple[str, bytes]:
        rng = self.rng
        source = rng.choice(("cdn-a", "cdn-b"))
        name, size = f"j{rng.randrange(5)}.example.com", rng.randrange(1 << 30)
        document = {
            "source": source,
            "id": f"{rng.getrandbits(64):x}",
            "time": time_ms,
            "domain": name,
            "scheme": "https",
            "transport": "tcp",
            "status": 200,
            "bytes_sent": size,
            "region": "DE",
        }
        key = time_ms // 300_000 * 300_000, name, "DE", "https"
        self.truth.requests[key] += 1
        self.truth.bytes_sent[key] += size
        return source, json.dumps(document, sort_keys=rng.random() < 0.5).encode()

    def _produce(self, address: str, topic: str, events: list[tuple[str, bytes]]) -> None:
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": address, "linger.ms": 50})
        shuffled = self.rng.sample(events, len(events))
        for source, value in shuffled:
            producer.produce(topic, value, key=source.encode())
        producer.flush(60)
