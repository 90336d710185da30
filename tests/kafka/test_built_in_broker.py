"""The same tests against confluent-kafka's built-in broker, where that suffices: it needs no Java.

It keeps records in the memory of this process and knows nothing of configuration, transactions or
restarts; what needs those is tried on Apache Kafka alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.kafka import test_ship, test_source

pytestmark = pytest.mark.xdist_group("kafka")
_numbers = itertools.count(1)
SUFFICES = (
    test_ship.test_a_drained_spool_is_in_kafka_in_order_under_its_key_in_one_partition,
    test_ship.test_the_spool_is_acknowledged_to_its_end_once_kafka_has_it_all,
    test_ship.test_shipping_again_sends_nothing_and_new_batches_follow_the_old,
    test_ship.test_a14_an_unknown_outcome_stays_in_the_spool_and_is_sent_again,
    test_ship.test_heartbeats_of_an_idle_edge_arrive_while_the_shipper_runs,
    test_ship.test_a_spool_that_is_new_while_the_shipper_runs_is_taken_up,
    test_ship.test_a3_a_damaged_frame_goes_to_quarantine_by_way_of_kafka,
    test_ship.test_a_spool_stays_with_its_topic,
    test_ship.test_the_shipper_says_where_it_stands_in_a_file,
    test_source.test_every_record_is_handed_out_in_order_with_the_position_after_it,
    test_source.test_counting_twice_counts_nothing_twice_and_goes_on_where_it_stood,
    test_source.test_issue_4_point_5_a_worker_without_its_disk_goes_on_from_checkpoint_and_kafka,
    test_source.test_json_events_count_once_also_over_a_lost_disk_and_stay_unproven,
    test_source.test_two_workers_share_the_partitions_of_a_topic,
)


class BuiltInBroker:
    """One broker inside librdkafka, for as long as its producer lives."""

    def __init__(self) -> None:
        self._producer = Producer({"test.mock.num.brokers": 1})
        (node,) = self._producer.list_topics(timeout=10).brokers.values()
        self.address = f"{node.host}:{node.port}"

    def create_topic(self, name: str) -> str:
        """A topic with four partitions, which asking for it makes."""
        self._producer.list_topics(name, timeout=10)
        return name


@pytest.fixture(scope="module")
def built_in() -> BuiltInBroker:
    return BuiltInBroker()


@pytest.mark.parametrize("same", SUFFICES, ids=lambda one: one.__name__.removeprefix("test_"))
def test_the_built_in_broker_suffices_for(
    same: Callable[..., None], built_in: BuiltInBroker, make_home: Callable[..., Path]
) -> None:
    given: dict[str, Any] = {
        "broker": built_in,
        "topic": built_in.create_topic(f"edgetoll.requests.b{next(_numbers)}"),
        "make_home": make_home,
    }
    same(**given)
