"""A real Apache Kafka for these tests, and homes that speak to it.

One broker serves the whole session; tests that stop it, or need a proxy or TLS, say so by name. All
tests of this folder that need it run in one worker process (xdist group `kafka`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.kafka.faultproxy import FaultProxy
from deploy.kafka.broker import Broker

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The session's broker; a test that stops it starts it again."""
    made = Broker(tmp_path_factory.mktemp("kafka") / "broker", proxied=True)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def second_broker(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A second node in the session's cluster, for replicas and partitions without a leader."""
    made = Broker(tmp_path_factory.mktemp("kafka2") / "broker", joins=broker)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def topic(broker: Broker) -> str:
    """A fresh topic with four partitions."""
    return broker.create_topic(f"edgetoll.requests.t{next(_numbers)}", 4)


@pytest.fixture
def make_home(tmp_path: Path) -> Callable[..., Path]:
    """Makes homes: `make_home(topic, edge="…", metering="…")`, lines for the two sections."""

    def make(topic: str, *, name: str = "home", edge: str = "", metering: str = "") -> Path:
        home = tmp_path / name
        home.mkdir()
        (home / "edgetoll.toml").write_text(
            f'[edge.kafka]\ntopic = "{topic}"\nrequest_timeout_seconds = 5\n{edge}\n'
            f'[metering.kafka]\ntopic = "{topic}"\nrequest_timeout_seconds = 5\n{metering}\n'
        )
        return home

    return make


@pytest.fixture
def proxy(broker: Broker) -> Iterator[FaultProxy]:
    """A proxy in front of the broker; clients that come through it stay on it."""
    with FaultProxy(broker.proxy_port, broker.listener("PROXIED")) as made:
        yield made
