"""What a certificate says, put together from the plan and from what is stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metering.closed import (
    Certificate,
    EdgeEvidence,
    EpochRange,
    SequenceGap,
    hour_text,
)
from metering.counting.edge_progress import EdgeProgress
from metering.hour import HOUR_MS, time_of, time_text
from metering.hours.when_to_close import Closing, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The data file of a closing: its hash and what it sums up to."""

    sha256: str
    rows: int
    requests: int
    bytes_sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What the certificates of one round have in common."""

    partition: str
    generation: int
    checkpoint: int
    now_ms: int
    complete_through_ms: int | None
    standings: Sequence[Standing]
    edges: Mapping[str, EdgeProgress]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A certificate's place in the partition's chain, and what ended badly since the one before."""

    number: int
    previous_sha256: str | None
    duplicates: int
    quarantined: int


def certificate(
    closing: Closing,
    written: Written,
    link: Link,
    *,
    around: Round,
    ranges: Mapping[str, tuple[EpochRange, ...]],
    unproven: tuple[str, ...],
) -> Certificate:
    """The certificate of one closing. `ranges` are the batches of each edge that hold its usage."""
    hour = time_of(closing.hour_ms)
    through = around.complete_through_ms
    empty_since = closing.empty_since_ms
    return Certificate(
        hour=hour_text(hour),
        partition=around.partition,
        revision=closing.revision,
        state=closing.state,
        closed_at=time_text(around.now_ms),
        data_file=f"partition={around.partition}.r{closing.revision}.parquet",
        data_sha256=written.sha256,
        previous_certificate_sha256=link.previous_sha256,
        number=link.number,
        rows=written.rows,
        requests=written.requests,
        bytes_sent=written.bytes_sent,
        duplicates=link.duplicates,
        quarantined=link.quarantined,
        edges=_edges(closing, around, ranges),
        missing_edges=closing.missing,
        waivers=closing.waivers,
        unproven_sources=unproven,
        generation=around.generation,
        checkpoint=around.checkpoint,
        complete_through=None if through is None else hour_text(time_of(through)),
        empty_since=None if empty_since is None else hour_text(time_of(empty_since)),
    )


def _edges(
    closing: Closing, around: Round, ranges: Mapping[str, tuple[EpochRange, ...]]
) -> tuple[EdgeEvidence, ...]:
    """Every edge expected in the hour, and every other one that has usage in it."""
    end_ms = closing.hour_ms + HOUR_MS
    start_ms = closing.hour_ms if closing.empty_since_ms is None else closing.empty_since_ms
    standing = {
        one.expected.edge_id: one
        for one in around.standings
        if one.expected_in(start_ms, end_ms) or one.expected.edge_id in ranges
    }
    found = []
    for edge_id in sorted({*standing, *ranges}):
        edge = around.edges.get(edge_id)
        stands = standing.get(edge_id)
        epochs = ranges.get(edge_id, ())
        if edge is not None:
            region = edge.region
        else:
            region = stands.expected.region if stands is not None else "unknown"
        watermark = stands.watermark_ms if stands is not None else 0
        found.append(
            EdgeEvidence(
                edge_id=edge_id,
                region=region,
                watermark=time_text(watermark) if watermark else None,
                epochs=epochs,
                gaps=_gaps(edge, start_ms, end_ms),
                late=sum(one.events for one in epochs) if closing.revision else 0,
                held=edge.held if edge is not None else "",
            )
        )
    return tuple(found)


def _gaps(edge: EdgeProgress | None, start_ms: int, end_ms: int) -> tuple[SequenceGap, ...]:
    """The holes of an edge whose events may lie in [start_ms, end_ms)."""
    if edge is None:
        return ()
    return tuple(gap.missing for gap in edge.gaps() if gap.touches(start_ms, end_ms))
