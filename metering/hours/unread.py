"""Edges whose batches cannot all be counted, and what a person has to be told. Pure decisions.

What an edge made durable and metering does not hold is missing, whoever is to blame: a folder that
cannot be read, a batch that was refused, a hole in the sequence, an epoch that does not name the
one before it. Nothing of it may look like an edge with nothing to say (CASES E13, M6).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from metering.closed import SequenceGap
from metering.counting.edge_progress import EdgeProgress, Gap
from metering.hour import HOUR_MS, hour_of, time_text
from metering.hours.when_to_close import LONGEST_EMPTY_RUN, Standing
from metering.sources.source import SourceState

SILENT_MS = 2 * 24 * HOUR_MS
"""An expected edge without a promise for so long is an alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadSource:
    """An edge of which not everything durable is counted: why, and since when (UTC ms)."""

    edge_id: str
    what: str
    since_ms: int


def unread_sources(
    states: Sequence[SourceState],
    edges: Mapping[str, EdgeProgress],
    retired: Collection[str] = (),
) -> tuple[UnreadSource, ...]:
    """The edges whose source cannot be read to its end, or whose newest batch is not held. The
    source of a retired edge may be gone.
    """
    return tuple(
        UnreadSource(edge_id=state.source, what=what, since_ms=state.since_ms)
        for state in states
        if not state.gone or (state.source in edges and state.source not in retired)
        if (what := _why(state, edges.get(state.source))) is not None
    )


def _why(state: SourceState, edge: EdgeProgress | None) -> str | None:
    if state.problem is not None:
        return state.problem
    if not state.read or state.last is None:
        return None
    epoch, sequence = state.last
    if edge is not None and edge.holds(epoch, sequence):
        return None
    return f"batch {sequence} of epoch {epoch} was durable and is not counted"


def lost_batches(
    standings: Sequence[Standing], waived: Collection[tuple[str, int]]
) -> Iterator[tuple[str, SequenceGap]]:
    """Each named gap of an edge whose hours a person has not waived."""
    for standing in standings:
        edge_id = standing.expected.edge_id
        for gap in standing.gaps:
            if not all((edge_id, hour) in waived for hour in _hours_of(gap)):
                yield edge_id, gap.missing


def _hours_of(gap: Gap) -> range:
    """The hours that the missing events can lie in, no more of them than a long empty run has."""
    last = hour_of(max(gap.until_ms, gap.from_ms))
    first = max(hour_of(gap.from_ms), last - LONGEST_EMPTY_RUN * HOUR_MS)
    return range(first, last + HOUR_MS, HOUR_MS)


def silent_edges(standings: Sequence[Standing], now_ms: int) -> Iterator[tuple[str, int]]:
    """(edge, since when) of each edge that is expected and has promised nothing for two days."""
    for standing in standings:
        expected = standing.expected
        since = max(standing.advanced_ms, expected.from_ms)
        ended = expected.until_ms is not None and expected.until_ms <= now_ms
        if not ended and now_ms - since >= SILENT_MS:
            yield expected.edge_id, since


def gap_text(gap: SequenceGap) -> str:
    """A gap as people read it: `epoch 7: batches 3 to 5`."""
    if gap.last_sequence is None:
        return f"epoch {gap.epoch}: whatever came after batch {gap.first_sequence - 1}"
    if gap.first_sequence == gap.last_sequence:
        return f"epoch {gap.epoch}: batch {gap.first_sequence}"
    return f"epoch {gap.epoch}: batches {gap.first_sequence} to {gap.last_sequence}"


def edge_alarms(
    standings: Sequence[Standing],
    unread: Sequence[UnreadSource],
    waived: Collection[tuple[str, int]],
    now_ms: int,
) -> Iterator[str]:
    """What a person should know of edges, a line each."""
    for one in unread:
        yield f"unread: {one.edge_id}: {one.what}; its hours are held"
    for edge_id, missing in lost_batches(standings, waived):
        yield (
            f"lost: {edge_id}, {gap_text(missing)}: never came and is not counted;"
            " waive its hours once a person knows of it"
        )
    for edge_id, since in silent_edges(standings, now_ms):
        yield (
            f"silent: {edge_id} is expected and has promised nothing since {time_text(since)}:"
            " start it, or retire it (metering edges --retire)"
        )
