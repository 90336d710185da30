"""Sequences, holes and promises of an edge."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.batch.codec import decode_header
from edge.batch.records import BatchHeader
from metering.closed import SequenceGap
from metering.counting.edge_progress import EdgeProgress
from tests.metering.world import HOUR, T0, Edge

DEADLINE = 4 * HOUR


def header(sequence: int, *, epoch: int = 1, promise: int = 0, at: int = T0) -> BatchHeader:
    """The header of a heartbeat, or of a batch whose events lie at `at`."""
    edge = Edge(epoch=epoch, next_sequence=sequence)
    return decode_header(edge.heartbeat(promise or at))


def progress(*headers: BatchHeader, now: int = T0) -> EdgeProgress:
    """An edge that sent these batches in this order."""
    edge = EdgeProgress(edge_id="edge-1", region="de")
    for one in headers:
        edge.accept(one, now)
    return edge


@given(st.permutations(range(12)))
def test_any_order_of_arrival_ends_in_the_same_single_interval(order: list[int]) -> None:
    edge = progress(*(header(number, promise=T0 + number) for number in order))
    (interval,) = edge.epochs[1].intervals
    assert (interval.low, interval.high, interval.watermark_ms) == (0, 11, T0 + 11)
    assert edge.gaps() == ()
    assert edge.watermark_ms() == T0 + 11


@given(st.sets(st.integers(0, 40), min_size=1), st.randoms(use_true_random=False))
def test_intervals_hold_exactly_the_sequences_that_came(
    held: set[int], shuffle: random.Random
) -> None:
    order = sorted(held)
    shuffle.shuffle(order)
    edge = progress(*(header(number) for number in order))
    assert {n for n in range(45) if edge.holds(1, n)} == held
    lows_and_highs = [(one.low, one.high) for one in edge.epochs[1].intervals]
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(lows_and_highs))
    missing = {
        n
        for gap in edge.gaps()
        for n in range(gap.missing.first_sequence, (gap.missing.last_sequence or 0) + 1)
    }
    assert missing == set(range(max(held))) - held


def test_the_promise_does_not_move_over_a_hole() -> None:
    edge = progress(header(0, promise=T0), header(1, promise=T0 + 5), header(3, promise=T0 + 99))
    assert edge.watermark_ms() == T0 + 5
    edge.accept(header(2, promise=T0 + 7), T0)
    assert edge.watermark_ms() == T0 + 99


def test_a_hole_older_than_the_deadline_becomes_a_named_gap_of_limited_reach() -> None:
    edge = progress(header(0, promise=T0), header(2, promise=T0 + HOUR), now=T0)
    assert edge.standing(T0 + DEADLINE - 1, DEADLINE) == (T0, ())
    watermark, (gap,) = edge.standing(T0 + DEADLINE, DEADLINE)
    assert watermark == T0 + HOUR
    assert gap.missing == SequenceGap(epoch=1, first_sequence=1, last_sequence=1)
    assert gap.touches(T0, T0 + HOUR)
    assert not gap.touches(T0 + HOUR, T0 + 2 * HOUR)
    assert not gap.touches(T0 - HOUR, T0)


def test_a_lost_spool_is_a_named_gap_and_not_an_endless_wait() -> None:
    first = header(0, epoch=1, promise=T0)
    second = replace(header(0, epoch=2, promise=T0 + HOUR), previous_epoch=(1, 4))
    edge = progress(first, second, now=T0)
    (gap,) = edge.gaps()
    assert gap.missing == SequenceGap(epoch=1, first_sequence=1, last_sequence=4)
    assert edge.standing(T0 + DEADLINE, DEADLINE)[0] == T0 + HOUR


def test_an_epoch_that_follows_a_whole_one_leaves_no_gap() -> None:
    last = header(1, epoch=1, promise=T0 + 2)
    second = replace(header(0, epoch=2, promise=T0 + 3), previous_epoch=(1, 1))
    edge = progress(second, last, header(0, epoch=1, promise=T0 + 1))
    assert edge.gaps() == ()
    assert edge.watermark_ms() == T0 + 3


def test_epochs_that_name_each_other_in_a_circle_end_too() -> None:
    one = replace(header(0, epoch=1, promise=T0), previous_epoch=(2, 0))
    two = replace(header(0, epoch=2, promise=T0), previous_epoch=(1, 0))
    assert progress(one, two).standing(T0 + DEADLINE, DEADLINE)[0] == T0


def test_an_absurd_time_does_not_make_an_edge_expected_since_1970() -> None:
    edge = progress(header(0, promise=1))
    assert edge.expected_from_ms is None
    edge.accept(header(1, promise=T0), T0)
    assert edge.expected_from_ms == T0
