"""metering over a real broker: every record once, nothing skipped, refusals in clear words."""

from __future__ import annotations

import asyncio
import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import Producer
from confluent_kafka import TopicPartition as AdminPartition
from confluent_kafka.admin import AdminClient

from bench.kafka.faultproxy import FaultProxy
from bench.kafka.traffic import Shape, fill
from deploy.kafka.broker import Broker
from edge.errors import Corrupt, InputError
from metering.closed import list_closed
from metering.settings import load
from metering.sources.kafka.offsets import LostPosition
from metering.sources.kafka.settings import at_bootstrap
from metering.sources.kafka.source import KafkaSource, Stuck, Unreachable
from metering.sources.source import SourceBatch
from metering.worker import kafka_process
from tests.effort import PATIENCE_S
from tests.kafka.world import (
    assert_equals,
    certificates,
    closed_usage,
    count,
    records,
    send,
    ship,
    wait_until,
)

pytestmark = [pytest.mark.needs_kafka, pytest.mark.xdist_group("kafka")]
MakeHome = Callable[..., Path]
SMALL = Shape(batches=6, events=50)


@contextmanager
def source(home: Path, bootstrap: str, **options: Any) -> Iterator[KafkaSource]:
    said: list[str] = []
    settings = at_bootstrap(load(home).kafka, bootstrap)
    made = KafkaSource(settings, None, **{"alarm": said.append, **options})
    made.said = said  # type: ignore[attr-defined]
    try:
        yield made
    finally:
        made.close()


def fetch_all(reader: KafkaSource) -> list[SourceBatch]:
    found: list[SourceBatch] = []

    def done() -> bool:
        found.extend(reader.fetch(100, 0.1))
        return reader.caught_up()

    wait_until(done)
    return found


def topic_of(home: Path) -> str:
    return str(load(home).kafka["topic"])


def test_every_record_is_handed_out_in_order_with_the_position_after_it(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    ship(home, broker.address)
    with source(home, broker.address) as reader:
        reader.seek({})
        found = fetch_all(reader)
        again = dict.fromkeys([found[2].source], found[2].position_after)
        reader.seek(again)
        rest = [batch for batch in fetch_all(reader) if batch.source == found[2].source]
    assert [batch.payload for batch in found] == [r.value for r in records(broker.address, topic)]
    assert [batch.payload for batch in rest] == [batch.payload for batch in found[3:]]


def test_counting_twice_counts_nothing_twice_and_goes_on_where_it_stood(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    truths = [fill(home, "e1", "DE", SMALL, 1), fill(home, "e2", "FR", SMALL, 2)]
    ship(home, broker.address)
    first = count(home, broker.address)
    assert first["accepted"] == sum(truth.total[0] for truth in truths)
    second = count(home, broker.address)
    assert (second["accepted"], second["duplicate"]) == (first["accepted"], 0)
    assert_equals(home, truths)
    assert all(one.state == "closed" and not one.missing_edges for one in certificates(home))


def test_b5_b6_batches_repeated_hours_later_and_out_of_order_change_no_total(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    truth = fill(home, "e1", "DE", Shape(batches=12, events=50), 1)
    ship(home, broker.address)
    other = broker.create_topic(f"{topic}.shuffled", 1)
    values = [record.value for record in records(broker.address, topic)]
    shuffled = values[::-1] + values[::3] + values[1::2]
    send(broker.address, other, [(b"e1", value) for value in shuffled])
    again = make_home(other, name="again")
    found = count(again, broker.address)
    assert (found["accepted"], found["quarantined"]) == (truth.total[0], 0)
    assert found["duplicate"] == 50 * (len(shuffled) - 12)
    assert_equals(again, [truth])


def test_issue_4_point_5_a_worker_without_its_disk_goes_on_from_checkpoint_and_kafka(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    truths = [fill(home, "e1", "DE", SMALL, 1)]
    ship(home, broker.address)
    count(home, broker.address)
    before = {file.data_path: file.data_path.read_bytes() for file in list_closed(home)}
    for path in home.glob("usage.duckdb*"):
        path.unlink()
    shutil.rmtree(home / "live")
    truths.append(fill(home, "e2", "FR", SMALL, 2))
    ship(home, broker.address)
    found = count(home, broker.address)
    assert found["accepted"] == sum(truth.total[0] for truth in truths)
    assert_equals(home, truths)
    assert {path: path.read_bytes() for path in before} == before


def test_json_events_count_once_also_over_a_lost_disk_and_stay_unproven(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic, metering="json_window_days = 4000")
    one = b'{"source":"s","id":"%d","time":1790000000000,"domain":"a.example.com",'
    one += b'"scheme":"https","transport":"tcp","status":200,"bytes_sent":10}'
    messages = [(b"s", one % number) for number in range(50)]
    send(broker.address, topic, [*messages, *messages[:5], (b"s", b"{"), (b"t", messages[0][1])])
    found = count(home, broker.address)
    assert (found["accepted"], found["duplicate"], found["quarantined"]) == (50, 5, 2)
    for path in home.glob("usage.duckdb*"):
        path.unlink()
    send(broker.address, topic, [*messages, (b"s", one % 50)])
    found = count(home, broker.address)
    assert found["accepted"] == 51
    requests, sizes = closed_usage(home)
    assert (sum(requests.values()), sum(sizes.values())) == (51, 510)
    assert {one.unproven_sources for one in certificates(home)} == {("s",)}


def test_b8_records_that_kafka_lost_stop_the_worker(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    with source(home, broker.address) as reader:
        position = f"{reader._reader.topic_id}@99"
        with pytest.raises(LostPosition, match="Kafka lost acknowledged records"):
            reader.seek({f"{topic}:0": position})


def test_b9_what_retention_deleted_unread_stops_the_worker_and_reread_names_the_gap(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    ship(home, broker.address)
    partition = records(broker.address, topic)[0].partition
    count(home, broker.address)
    fill(home, "e1", "DE", SMALL, 2)
    ship(home, broker.address)
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    for future in admin.delete_records([AdminPartition(topic, partition, 9)]).values():
        future.result(30)
    with pytest.raises(LostPosition, match="retention deleted 3 records unread"):
        count(home, broker.address)
    config = home / "edgetoll.toml"
    config.write_text(config.read_text() + '\non_lost_position = "reread"\n')
    found = count(home, broker.address)
    assert found["edges"][0]["gaps"], "the lost sequences are named"


def test_b10_a_topic_made_again_is_refused_by_its_id(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    fill(home, "e1", "DE", SMALL, 1)
    ship(home, broker.address)
    count(home, broker.address)
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    admin.delete_topics([topic])[topic].result(30)
    wait_until(lambda: topic not in admin.list_topics(timeout=PATIENCE_S).topics)
    broker.create_topic(topic, 4)
    with pytest.raises(LostPosition, match="deleted and made again"):
        count(home, broker.address)


def test_b14_a_record_with_a_wrong_crc_stops_the_partition_and_is_not_skipped(
    broker: Broker, topic: str, make_home: MakeHome, proxy: FaultProxy
) -> None:
    home = make_home(topic)
    send(broker.address, topic, [(b"k", b"ETB" + bytes(200) + b"needle" + bytes(200))])
    proxy.on_answer = lambda data: data.replace(b"needle", b"noodle")
    with source(home, proxy.address) as reader:
        reader.seek({})
        with pytest.raises(Corrupt, match="fails its CRC"):
            fetch_all(reader)


def test_b15_records_of_an_aborted_transaction_are_not_counted(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    one = b'{"source":"s","id":"%d","time":1790000000000,"domain":"a.example.com",'
    one += b'"scheme":"https","transport":"tcp","status":200,"bytes_sent":10}'
    producer = Producer({"bootstrap.servers": broker.address, "transactional.id": topic})
    producer.init_transactions(30)
    for number, commit in enumerate((True, False, True, False)):
        producer.begin_transaction()
        producer.produce(topic, one % number, key=b"s", partition=0)
        producer.flush(30)
        (producer.commit_transaction if commit else producer.abort_transaction)(30)
    (home / "edgetoll.toml").write_text(
        (home / "edgetoll.toml").read_text() + "json_window_days = 4000\n"
    )
    assert count(home, broker.address)["accepted"] == 2


def test_b16_an_open_transaction_is_named_in_an_alarm(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    producer = Producer({"bootstrap.servers": broker.address, "transactional.id": topic})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"{}", key=b"s", partition=2)
    producer.flush(30)
    send(broker.address, topic, [(b"s", b"{}")], partition=2)
    with source(home, broker.address) as reader:
        reader.seek({})
        wait_until(lambda: any("open transaction" in line for line in reader.alarms(0)))
    producer.abort_transaction(30)


def test_c25_a_stuck_client_ends_the_worker_with_a_code_of_its_own(
    broker: Broker, topic: str, make_home: MakeHome, proxy: FaultProxy
) -> None:
    home = make_home(topic, metering="stuck_after_seconds = 1")
    with source(home, proxy.address) as reader:
        reader.seek({})
        fetch_all(reader)

        async def lame() -> None:  # the client sleeps on while its connection is sound
            reader._reader._fetching.cancel()

        reader._reader.call(lame(), 10)
        send(broker.address, topic, [(b"s", b"{}")])
        with pytest.raises(Stuck, match="has records to offset 1"):
            wait_until(lambda: bool(reader.fetch(10, 0.1)))
    assert Stuck.exit_code == 70


def test_a_broker_that_is_away_is_waited_for_and_not_called_stuck(
    broker: Broker, topic: str, make_home: MakeHome, proxy: FaultProxy
) -> None:
    home = make_home(topic, metering="stuck_after_seconds = 0.5")
    with source(home, proxy.address) as reader:
        reader.seek({})
        fetch_all(reader)
        proxy.refuse = True
        proxy.cut()

        def waits() -> bool:
            reader.fetch(10, 0.1)
            return any("does not answer" in line for line in reader.said)  # type: ignore[attr-defined]

        wait_until(waits)
        proxy.refuse = False
        send(broker.address, topic, [(b"s", b"{}")])
        wait_until(lambda: bool(reader.fetch(10, 0.1)))


def test_a_drain_without_a_broker_ends_with_what_to_do(
    broker: Broker, topic: str, make_home: MakeHome, proxy: FaultProxy
) -> None:
    proxy.refuse = True
    with (
        pytest.raises(Unreachable, match="does not answer"),
        source(make_home(topic), proxy.address, patience_s=0.5),
    ):
        pass


def test_a_topic_that_is_not_there_is_an_error_with_a_hint(
    broker: Broker, make_home: MakeHome
) -> None:
    with pytest.raises(InputError, match="has no topic no"):
        kafka_process.run(make_home("no.such.topic"), bootstrap=broker.address, drain=True)


def test_kafkas_own_offset_is_written_for_monitors(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic, metering=f'group = "g-{topic}"')
    fill(home, "e1", "DE", SMALL, 1)
    ship(home, broker.address)
    partition = records(broker.address, topic)[0].partition
    count(home, broker.address)

    async def committed() -> int | None:
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, group_id=f"g-{topic}")
        await consumer.start()
        try:
            offset: int | None = await consumer.committed(TopicPartition(topic, partition))
            return offset
        finally:
            await consumer.stop()

    assert asyncio.run(committed()) == 6


def test_a_commit_for_monitors_that_waits_for_an_answer_does_not_outlive_the_worker(
    broker: Broker,
    topic: str,
    make_home: MakeHome,
    proxy: FaultProxy,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with source(make_home(topic), proxy.address) as reader:
        reader.seek({})
        fetch_all(reader)
        proxy.silent = True
        reader.committed({f"{topic}:0": f"{reader._reader.topic_id}@0"})
    gc.collect()
    assert "Task was destroyed" not in caplog.text


def test_two_workers_share_the_partitions_of_a_topic(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = make_home(topic)
    truths = [fill(home, f"e{n}", "DE", SMALL, n) for n in range(8)]
    ship(home, broker.address)
    count(home, broker.address, "0-1")
    count(home, broker.address, "2-3")
    assert_equals(home, truths)
    assert {file.partition for file in list_closed(home)} >= {"000", "001"}
