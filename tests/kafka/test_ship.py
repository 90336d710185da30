"""edge ship against a real broker: nothing is lost, and the spool is told only truths."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka.admin import AdminClient

from bench.kafka.faultproxy import FaultProxy
from bench.kafka.traffic import START_MS, Shape, batches, fill
from deploy.kafka.broker import Broker
from edge.batch.codec import decode_header
from edge.errors import ConflictError, InputError
from edge.shipping.binding import Binding, read_binding, write_binding
from edge.spool.segment import acknowledge, end_position, read_acknowledged, segments
from edge.spool.spool import Spool
from tests.effort import PATIENCE_S
from tests.kafka.world import assert_equals, count, records, ship, shipping, wait_until

pytestmark = [pytest.mark.needs_kafka, pytest.mark.xdist_group("kafka")]
MakeHome = Callable[..., Path]
SMALL = Shape(batches=6, events=50)


def test_a_drained_spool_is_in_kafka_in_order_under_its_key_in_one_partition(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    ship(home, broker.address)
    found = records(broker.address, topic)
    assert [decode_header(record.value).sequence for record in found] == list(range(6))
    assert {record.key for record in found} == {b"e1"}
    binding = read_binding(home / "spool" / "e1")
    assert binding is not None
    assert {record.partition for record in found} == set(binding.partitions.values())


def test_the_spool_is_acknowledged_to_its_end_once_kafka_has_it_all(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    folder = home / "spool" / "e1"
    assert read_acknowledged(folder) is None
    ship(home, broker.address)
    acknowledged = read_acknowledged(folder)
    assert acknowledged is not None
    assert acknowledged.position == end_position(folder)
    assert acknowledged.sequence == 5


def test_shipping_again_sends_nothing_and_new_batches_follow_the_old(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    ship(home, broker.address)
    assert ship(home, broker.address).confirmed == 0
    fill(home, "e1", "DE", SMALL, 2)
    assert ship(home, broker.address).confirmed == 6
    sequences = [decode_header(record.value).sequence for record in records(broker.address, topic)]
    assert sequences == list(range(12))


def test_a14_an_unknown_outcome_stays_in_the_spool_and_is_sent_again(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    truth = fill(home, "e1", "DE", SMALL, 1)
    ship(home, broker.address)
    (home / "spool" / "e1" / "acknowledged.json").unlink()  # killed after the broker had it all
    ship(home, broker.address)
    assert len(records(broker.address, topic)) == 12
    found = count(home, broker.address)
    assert (found["accepted"], found["duplicate"]) == (truth.total[0], truth.total[0])
    assert_equals(home, [truth])


def test_heartbeats_of_an_idle_edge_arrive_while_the_shipper_runs(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    with Spool.open(home / "spool" / "e1", "e1", "DE", random64=lambda: 7) as spool:
        spool.heartbeat(1_000)
        with shipping(home, broker.address) as shipper:
            wait_until(lambda: shipper.confirmed == 1)
            spool.heartbeat(2_000)
            wait_until(lambda: shipper.confirmed == 2)
    marks = [decode_header(record.value).watermark_ms for record in records(broker.address, topic)]
    assert marks == [1_000, 2_000]


def test_a_spool_that_is_new_while_the_shipper_runs_is_taken_up(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    with shipping(home, broker.address) as shipper:
        wait_until(lambda: shipper.confirmed == 6)
        fill(home, "e2", "FR", SMALL, 2)
        wait_until(lambda: shipper.confirmed == 12)


def test_b1_b3_the_broker_goes_and_comes_again_and_nothing_is_lost(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    truths = [fill(home, "e1", "DE", SMALL, 1)]
    with shipping(home, broker.address) as shipper:
        wait_until(lambda: shipper.confirmed == 6)
        for seed in (2, 3):
            broker.kill()
            truths.append(fill(home, "e1", "DE", SMALL, seed))  # the spool takes it all the while
            broker.start()
            wait_until(lambda done=seed: shipper.confirmed >= 6 * done)
    found = count(home, broker.address)
    assert found["accepted"] == sum(truth.total[0] for truth in truths)
    assert_equals(home, truths)


def test_b4_an_answer_that_is_lost_makes_a_duplicate_that_is_counted_once(
    broker: Broker, topic: str, make_home: MakeHome, proxy: FaultProxy
) -> None:
    home = make_home(topic)
    truth = fill(home, "e1", "DE", Shape(batches=30, events=50), 1)
    cuts = iter([False, False, False, False, True, False, False, True, False, False, True])

    def cut_some(data: bytes) -> bytes | None:
        return None if next(cuts, False) else data

    proxy.on_answer = cut_some
    ship(home, proxy.address, batch_bytes=2_000, window_bytes=8_000)
    proxy.on_answer = None
    found = count(home, broker.address)
    assert found["accepted"] == truth.total[0]
    assert_equals(home, [truth])


def test_b7_too_few_replicas_are_waited_for_and_the_spool_is_not_acknowledged(
    broker: Broker, second_broker: Broker, make_home: MakeHome
) -> None:
    topic = broker.create_topic(
        "edgetoll.requests.b7", 1, replicas=(1, 2), config={"min.insync.replicas": "2"}
    )
    home = make_home(topic)
    _impatient(home)
    truths = [fill(home, "e1", "DE", SMALL, 1)]
    with shipping(home, broker.address) as shipper:
        wait_until(lambda: shipper.confirmed == 6)
        second_broker.kill()
        _wait_for_in_sync(broker, topic, 1)
        before = read_acknowledged(home / "spool" / "e1")
        truths.append(fill(home, "e1", "DE", SMALL, 2))
        wait_until(lambda: shipper.producers >= 2)
        assert shipper.confirmed == 6
        assert read_acknowledged(home / "spool" / "e1") == before
        second_broker.start()
        wait_until(lambda: shipper.confirmed >= 12)
    assert count(home, broker.address)["accepted"] == sum(truth.total[0] for truth in truths)


def test_b2_a_leaderless_partition_costs_the_producer_not_the_batches(
    broker: Broker, second_broker: Broker, make_home: MakeHome
) -> None:
    topic = broker.create_topic("edgetoll.requests.b2", 1, replicas=(2,))
    home = make_home(topic)
    _impatient(home)
    truths = [fill(home, "e1", "DE", SMALL, 1)]
    with shipping(home, broker.address) as shipper:
        wait_until(lambda: shipper.confirmed == 6)
        second_broker.kill()
        _wait_for_in_sync(broker, topic, 1)
        truths.append(fill(home, "e1", "DE", SMALL, 2))
        wait_until(lambda: shipper.producers >= 2)
        assert any("batches stay in the spool" in line for line in shipper.said)
        second_broker.start()
        wait_until(lambda: shipper.confirmed >= 12)
        wait_until(lambda: any("answers again" in line for line in shipper.said))
    assert count(home, broker.address)["accepted"] == sum(truth.total[0] for truth in truths)


def _impatient(home: Path) -> None:
    """Time out after 1 s, so that a test soon sees producers come and go."""
    config = home / "edgetoll.toml"
    config.write_text(config.read_text().replace("_seconds = 5", "_seconds = 1"))


def _wait_for_in_sync(broker: Broker, topic: str, wanted: int) -> None:
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})

    def reached() -> bool:
        (part,) = admin.list_topics(timeout=PATIENCE_S).topics[topic].partitions.values()
        return part.leader < 0 or len(part.isrs) == wanted

    wait_until(reached)


def test_b10_a_topic_made_again_is_refused_and_resend_fills_it(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    truth = fill(home, "e1", "DE", SMALL, 1)
    ship(home, broker.address)
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    admin.delete_topics([topic])[topic].result(30)
    wait_until(lambda: topic not in admin.list_topics(timeout=PATIENCE_S).topics)
    broker.create_topic(topic, 4)
    with pytest.raises(ConflictError, match="deleted and made again"):
        ship(home, broker.address)
    ship(home, broker.address, resend=True)
    assert count(home, broker.address)["accepted"] == truth.total[0]


def test_b11_an_epoch_keeps_its_partition_when_more_are_added_and_a_new_epoch_may_move(
    broker: Broker, make_home: MakeHome
) -> None:
    topic = broker.create_topic("edgetoll.requests.b11", 1)
    home = make_home(topic)
    truth = fill(home, "e3", "DE", SMALL, 1)
    ship(home, broker.address)
    _add_partitions(broker, topic, 8)
    folder = home / "spool" / "e3"
    fill(home, "e3", "DE", SMALL, 2)
    ship(home, broker.address)
    assert {record.partition for record in records(broker.address, topic)} == {0}
    with Spool.open(folder, "e3", "DE", random64=lambda: 1) as spool:
        spool.begin_epoch(99)
    fill(home, "e3", "DE", SMALL, 3)
    ship(home, broker.address)
    binding = read_binding(folder)
    assert binding is not None
    assert binding.partitions[99] == 4  # murmur2("e3") over eight partitions
    assert count(home, broker.address)["accepted"] == 3 * truth.total[0]


def _add_partitions(broker: Broker, topic: str, total: int) -> None:
    from confluent_kafka.admin import NewPartitions

    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    admin.create_partitions([NewPartitions(topic, total)])[topic].result(30)
    wait_until(lambda: len(admin.list_topics(timeout=PATIENCE_S).topics[topic].partitions) == total)


def test_b12_what_would_be_a_record_above_1_mib_travels_as_several_and_is_counted(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    chance = np.random.default_rng(1)
    (columns, _), *_ = batches(Shape(batches=1, events=40_000), 1)
    ids = [chance.bytes(20).hex() for _ in range(40_000)]
    with Spool.open(home / "spool" / "e1", "e1", "DE", random64=lambda: 7) as spool:
        _, last = spool.append(replace(columns, event_ids=ids), START_MS)
    ship(home, broker.address)
    sizes = [len(record.value) for record in records(broker.address, topic)]
    assert len(sizes) == last + 1 >= 2
    assert max(sizes) <= 1 << 20
    assert count(home, broker.address)["accepted"] == 40_000


def test_b17_a_connection_that_hears_nothing_times_out_and_another_takes_over(
    broker: Broker, topic: str, make_home: MakeHome, proxy: FaultProxy
) -> None:
    home = make_home(topic)
    _impatient(home)
    truth = fill(home, "e1", "DE", SMALL, 1)
    with shipping(home, proxy.address) as shipper:
        wait_until(lambda: shipper.confirmed == 6)
        proxy.silent = True
        fill(home, "e1", "DE", SMALL, 2)
        wait_until(lambda: shipper.producers >= 2)
        proxy.silent = False
        proxy.cut()
        wait_until(lambda: shipper.confirmed >= 12)
    assert count(home, broker.address)["accepted"] == 2 * truth.total[0]


def test_b17_a_line_of_five_seconds_and_a_byte_a_second_times_out_while_the_spool_takes_all(
    broker: Broker, topic: str, make_home: MakeHome, proxy: FaultProxy
) -> None:
    home = make_home(topic)
    _impatient(home)
    truths = [fill(home, "e1", "DE", SMALL, 1)]
    proxy.delay_s, proxy.byte_pause_s = 2.5, 1.0
    with shipping(home, proxy.address) as shipper:
        wait_until(lambda: any("batches stay in the spool" in line for line in shipper.said))
        truths.append(fill(home, "e1", "DE", SMALL, 2))
        assert read_acknowledged(home / "spool" / "e1") is None
        proxy.delay_s = proxy.byte_pause_s = 0.0
        proxy.cut()
        wait_until(lambda: shipper.confirmed >= 12)
    assert count(home, broker.address)["accepted"] == sum(truth.total[0] for truth in truths)
    assert_equals(home, truths)


def test_a3_a_damaged_frame_goes_to_quarantine_by_way_of_kafka(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    folder = home / "spool" / "e1"
    segment = folder / f"{segments(folder)[0]}.seg"
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0xFF
    segment.write_bytes(content)
    shipper = ship(home, broker.address)
    assert [lane.damaged for lane in shipper.lanes] == [1]
    found = count(home, broker.address)
    assert found["quarantined"] == 1
    assert found["edges"][0]["gaps"]


def test_a_spool_that_was_read_in_place_is_not_shipped(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    folder = home / "spool" / "e1"
    end = end_position(folder)
    assert end is not None
    acknowledge(folder, 1, 5, end)
    with pytest.raises(ConflictError, match="read in place"):
        ship(home, broker.address)
    assert records(broker.address, topic) == []


def test_a_spool_stays_with_its_topic(broker: Broker, topic: str, make_home: MakeHome) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    write_binding(home / "spool" / "e1", Binding(topic="another", topic_id="x"))
    with pytest.raises(ConflictError, match="goes to topic another"):
        ship(home, broker.address)


def test_a_drain_without_a_broker_ends_with_what_to_do(
    broker: Broker, topic: str, make_home: MakeHome, proxy: FaultProxy
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    proxy.refuse = True
    with pytest.raises(InputError, match="took nothing") as raised:
        ship(home, proxy.address, patience_s=0.5, backoff_s=(0.05, 0.1))
    assert "nothing is lost" in raised.value.hint


def test_the_shipper_says_where_it_stands_in_a_file(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    ship(home, broker.address)
    said = json.loads((home / "spool" / "e1" / "shipping.json").read_text())
    assert said["trouble"] is None
    assert said["producers"] == 1
