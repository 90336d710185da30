"""`make demo-kafka`: the demo, with a real Apache Kafka between the edges and metering.

Starts a broker of its own on free ports, plays `edgetoll demo` with `edge ship` and
`metering run --kafka` in the place of reading spools, and stops the broker. The home is kept.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.kafka.broker import VERSION, Broker, BrokerError
from edge.errors import EdgetollError
from examples import demo as play
from examples.stage import Stage

TOPIC = "edgetoll.requests.v1"


class KafkaStage(Stage):
    """The demo's stage, where counting means: ship to Kafka, then count what Kafka holds."""

    def __init__(self, home: Path, *, address: str) -> None:
        super().__init__(home)
        self.address = address

    def run(self, *words: str, show: bool = False) -> str:
        """One command; counting a spool becomes shipping it and counting the topic."""
        if words != ("metering", "run", "--drain"):
            return super().run(*words, show=show)
        super().run("edge", "ship", "--kafka", self.address, "--drain", show=True)
        return super().run("metering", "run", "--kafka", self.address, "--drain", show=show)


def main() -> int:
    """Play it; the exit code is 1 when a step failed."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    home = Path(tempfile.mkdtemp(prefix="edgetoll-kafka-")) / "home"
    with tempfile.TemporaryDirectory(prefix="edgetoll-broker-") as scratch:
        broker = Broker(Path(scratch) / "broker")
        try:
            print(f"Starting Apache Kafka {VERSION}", flush=True)
            address = broker.start()
            broker.create_topic(TOPIC)
            print(f"It listens on {address}, topic {TOPIC} with 8 partitions", flush=True)
            play.Stage = functools.partial(KafkaStage, address=address)  # type: ignore[misc,assignment]
            play.demo(home, requests)
        except (BrokerError, EdgetollError) as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            broker.stop()
    print(f"The broker is stopped; the home stays at {home}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
