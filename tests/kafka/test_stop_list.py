"""The stop list as a compacted topic: what a reader of it has when each command has ended."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from billing.cli import top_up
from billing.outbox import stop_list, stop_topic
from billing.outbox.settings import read_delivery
from deploy.kafka.broker import Broker
from tests.billing.conftest import START, World, open_world

_numbers = itertools.count(1)
pytestmark = [pytest.mark.needs_kafka, pytest.mark.xdist_group("kafka")]


def messages(broker: Broker, topic: str) -> list[tuple[str, Any]]:
    """All that stands in the topic: name, and why it is stopped or None."""

    async def read() -> list[tuple[str, Any]]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=broker.address, enable_auto_commit=False, auto_offset_reset="none"
        )
        async with consumer:
            place = TopicPartition(topic, 0)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            ends = await consumer.end_offsets([place])
            found: list[tuple[str, Any]] = []
            while await consumer.position(place) < ends[place]:
                record = await consumer.getone()
                if record.key and record.value != b"by hand":
                    value = record.value and json.loads(record.value)
                    found.append((record.key.decode(), value))
            return found

    return asyncio.run(read())


@pytest.fixture
def topic(broker: Broker) -> str:
    """A fresh topic of one partition."""
    return broker.create_topic(f"edgetoll.suspended.t{next(_numbers)}", 1)


@pytest.fixture
def stopped(broker: Broker, topic: str, tmp_path: Path) -> World:
    """`a` is stopped for a debt of 10 and the topic says so; the store is closed."""
    (tmp_path / "edgetoll.toml").write_text(
        f'[billing.delivery.stop_list]\nkafka = "{broker.address}"\ntopic = "{topic}"\n'
    )
    with open_world(tmp_path, owner="test", now=START) as store:
        world = World(home=tmp_path, store=store)
        world.account("a", policy="auto")
        world.domain("a", "www.a.example")
        world.suspended("a")
        stop_list.publish(store, now=world.now)
    stop_topic.follow(tmp_path)
    return world


def test_who_pays_is_off_the_topic_when_the_command_ends(
    broker: Broker, topic: str, stopped: World
) -> None:
    (told,) = messages(broker, topic)
    assert told[0] == "www.a.example"
    assert told[1]["cause"] == "arrears"
    top_up("a", "10.00", key="bank-1", home=stopped.home, as_of=stopped.now.isoformat())
    assert messages(broker, topic) == [told, ("www.a.example", None)]
    settings = read_delivery(stopped.home).stop_list
    assert stop_topic.publish_changes(stopped.home, settings) == 0, "told once"


def test_who_paid_is_off_the_topic_also_where_the_note_of_what_was_told_is_lost(
    broker: Broker, topic: str, stopped: World
) -> None:
    (stopped.home / "suspended" / "kafka.json").unlink()
    top_up("a", "10.00", key="bank-1", home=stopped.home, as_of=stopped.now.isoformat())
    assert messages(broker, topic)[-1] == ("www.a.example", None)


def test_what_somebody_else_wrote_into_the_topic_is_taken_off(
    broker: Broker, topic: str, stopped: World
) -> None:
    async def write() -> None:
        async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
            await producer.send_and_wait(topic, key=b"x.example", value=b"by hand")
            await producer.send_and_wait(topic, value=b"without a name")

    asyncio.run(write())
    (stopped.home / "suspended" / "kafka.json").unlink()
    stop_topic.follow(stopped.home)
    assert ("x.example", None) in messages(broker, topic)


def test_a_lost_note_alone_sends_nothing_again(broker: Broker, topic: str, stopped: World) -> None:
    before = messages(broker, topic)
    (stopped.home / "suspended" / "kafka.json").unlink()
    stop_topic.follow(stopped.home)
    assert messages(broker, topic) == before
    assert (stopped.home / "suspended" / "kafka.json").exists()


def test_an_edge_on_another_machine_has_the_list_from_the_topic(
    broker: Broker, topic: str, stopped: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import threading

    from edge.https import stop_topic as edge_side
    from edge.https.settings import read_settings
    from edge.https.stop_list import read_stop_list

    home = tmp_path_factory.mktemp("edge")
    (home / "edgetoll.toml").write_text(
        f'[edge.kafka]\nbootstrap = "{broker.address}"\nrequest_timeout_seconds = 20\n'
        f'[edge.https]\nstop_topic = "{topic}"\n'
    )
    edge = read_settings(home)
    stop = threading.Event()
    said: list[str] = []
    reader = threading.Thread(
        target=edge_side.follow, args=(home, edge), kwargs={"stop": stop, "say": said.append}
    )
    reader.start()
    path = home / edge.stop_list

    def until(wanted: list[str]) -> None:
        for _ in range(600):
            if path.exists():
                found = read_stop_list(path, home)
                assert found.trouble == ""
                if [one.domain for one in found.names] == wanted:
                    return
            stop.wait(0.05)
        raise AssertionError((wanted, said))

    try:
        until(["www.a.example"])
        top_up("a", "10.00", key="bank-1", home=stopped.home, as_of=stopped.now.isoformat())
        until([])
    finally:
        stop.set()
        reader.join()
    assert said == []
