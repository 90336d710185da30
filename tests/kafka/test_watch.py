"""Where a worker may begin in Kafka, and when it cries: decisions without a broker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.errors import ConfigError, Corrupt, InputError
from metering.sources.kafka.offsets import (
    LostPosition,
    Place,
    Span,
    retention_alarm,
    start_offsets,
    stuck,
    transaction_alarm,
)
from metering.sources.kafka.settings import (
    MeteringKafka,
    at_bootstrap,
    chosen_partitions,
    worker_name,
)
from metering.sources.kafka.units import KafkaPosition

HOUR = 3_600_000


def starts(offset: int, span: Span, *, topic_id: str = "a", reread: bool = False) -> int:
    stored = {0: KafkaPosition(topic_id=topic_id, offset=offset)}
    return start_offsets("t", "a", {0: span}, stored, reread=reread)[0]


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 120))
def test_a_stored_position_is_used_exactly_or_refused(begin: int, length: int, offset: int) -> None:
    span = Span(begin=begin, end=begin + length)
    if begin <= offset <= span.end:
        assert starts(offset, span) == offset
    else:
        with pytest.raises(LostPosition):
            starts(offset, span)


def test_without_a_stored_position_reading_begins_at_the_first_record_never_at_the_end() -> None:
    assert start_offsets("t", "a", {0: Span(begin=5, end=90)}, {}) == {0: 5}


def test_b8_an_offset_beyond_the_end_stops_and_names_both() -> None:
    with pytest.raises(LostPosition, match="ends at offset 10 and the worker has read to 12"):
        starts(12, Span(begin=0, end=10))


def test_b9_an_offset_that_retention_has_passed_stops_and_counts_what_is_lost() -> None:
    with pytest.raises(LostPosition, match="retention deleted 3 records unread"):
        starts(2, Span(begin=5, end=10))


def test_b10_a_topic_with_another_id_is_refused_though_the_offset_fits() -> None:
    with pytest.raises(LostPosition, match="deleted and made again"):
        starts(3, Span(begin=0, end=10), topic_id="b")


@pytest.mark.parametrize("offset", [2, 12])
def test_a_person_may_let_the_worker_read_again_what_there_is(offset: int) -> None:
    assert starts(offset, Span(begin=5, end=10), reread=True) == 5
    assert starts(7, Span(begin=5, end=10), topic_id="b", reread=True) == 5


def test_b9_the_alarm_comes_at_a_quarter_of_the_retention() -> None:
    assert retention_alarm("t", 0, 25 * HOUR - 1, 100 * HOUR) is None
    said = retention_alarm("t", 0, 25 * HOUR, 100 * HOUR)
    assert said is not None
    assert "1500 minutes late" in said
    assert retention_alarm("t", 0, 10**15, -1) is None


def test_b16_records_behind_an_open_transaction_are_named() -> None:
    said = transaction_alarm("t", Place(partition=3, reached=7, stable=7, high=20))
    assert said is not None
    assert "t:3 has 13 records behind an open transaction at offset 7" in said
    assert transaction_alarm("t", Place(partition=3, reached=6, stable=7, high=20)) is None
    assert transaction_alarm("t", Place(partition=3, reached=7, stable=7, high=7)) is None
    assert transaction_alarm("t", Place(partition=3, reached=0)) is None


def test_c25_stuck_means_that_a_second_client_sees_more() -> None:
    assert stuck("t", {0: 5, 1: 9}, {0: 5, 1: 9}) is None
    assert stuck("t", {0: 5, 1: 8}, {0: 5, 1: 9}) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, (0, 1, 2, 3)), ("0-1", (0, 1)), ("3,0", (0, 3)), ("2", (2,)), ("1-2, 2-3", (1, 2, 3))],
)
def test_partitions_are_chosen_by_ranges(text: str | None, expected: tuple[int, ...]) -> None:
    assert chosen_partitions(text, 4) == expected


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "4", "3-2", "0-9", "1.5"])
def test_partitions_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        chosen_partitions(text, 4)


def test_two_workers_of_a_home_have_files_of_their_own() -> None:
    assert worker_name(None) == ""
    assert len({worker_name(text) for text in ("0-3", "4-7", "4,7")}) == 3


@pytest.mark.parametrize("text", ["", "a", "a@", "@1", "a@-1", "a@1.5", "spool"])
def test_a_position_of_another_transport_is_refused(text: str) -> None:
    with pytest.raises(Corrupt):
        KafkaPosition.from_text(text)


@given(st.text("0123456789abcdef", min_size=1, max_size=32), st.integers(0, 2**62))
def test_a_position_survives_being_text(topic_id: str, offset: int) -> None:
    position = KafkaPosition(topic_id=topic_id, offset=offset)
    assert KafkaPosition.from_text(position.to_text()) == position


def test_settings_name_the_key_that_is_wrong() -> None:
    assert at_bootstrap(MeteringKafka(), "k:1").bootstrap == "k:1"
    with pytest.raises(ValidationError, match="on_lost_position"):
        MeteringKafka.model_validate({"on_lost_position": "latest"})
    with pytest.raises(ValidationError, match="bootstap"):
        MeteringKafka.model_validate({"bootstap": "x"})


def test_sasl_without_a_password_is_an_error_before_any_connection() -> None:
    settings = MeteringKafka(security="SASL_SSL", username="w")
    with pytest.raises(ConfigError, match="password"):
        settings.client_options()
