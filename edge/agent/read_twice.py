"""Logs that were read under two edge names: each of their requests is counted under both.

A spool knows what its own edge has read, by content, and nothing of another's. A log that was
imported as `fra-1` and is then tailed as `fra1` is billed twice, so what all spools of a home have
read is compared, and told by the command that read it and by `edge status`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from edge.batch.codec import position_from
from edge.batch.records import SourcePosition
from edge.errors import EdgetollError
from edge.logs.positions import StreamPosition
from edge.spool.durable_end import MOVED_MAX, read_durable_end
from edge.spool.recovery import recover
from edge.spool.segment import segment_header, segments, spool_folders

_TOLD_MAX: Final = 5


def read_twice(home: Path, edge_id: str) -> list[str]:
    """A sentence for each log that `edge_id` and another edge of `home` have both read."""
    read = {each.name: _published(each) for each in spool_folders(home)}
    return told(read).get(edge_id, []) if len(read) > 1 else []


def told(read: Mapping[str, Iterable[SourcePosition]]) -> dict[str, list[str]]:
    """For each edge a sentence for each log that another one has read too.

    `read` has the positions of each edge by its id.
    """
    by_head: dict[str, list[tuple[str, StreamPosition]]] = defaultdict(list)
    for edge_id, positions in sorted(read.items()):
        for source in positions:
            position = StreamPosition.from_source(source)
            if position is not None and position.events:
                by_head[position.head].append((edge_id, position))
    found: dict[str, list[str]] = defaultdict(list)
    for same in by_head.values():
        for edge_id, position in same:
            for other, theirs in same:
                if other != edge_id and position.same_content(theirs):
                    found[edge_id].append(_sentence(position, other, theirs))
    return {edge_id: _shortened(sentences) for edge_id, sentences in found.items()}


def _sentence(position: StreamPosition, other: str, theirs: StreamPosition) -> str:
    events = min(position.events, theirs.events)
    counted = "request of it is" if events == 1 else "requests of it are"
    return (
        f"{position.name} was read as edge {other} too: {events:,} {counted} counted under both"
        " names. Retire the wrong one (edgetoll metering edges --retire), move its spool folder"
        " away, and credit what was charged twice"
    )


def _shortened(sentences: list[str]) -> list[str]:
    more = len(sentences) - _TOLD_MAX
    return sentences[:_TOLD_MAX] + ([f"so it is with {more:,} more logs"] if more > 0 else [])


def _published(folder: Path) -> list[SourcePosition]:
    """The positions of a spool, read beside its writer without going through its batches."""
    try:
        end, names = read_durable_end(folder), segments(folder)
        header = segment_header(folder, names[-1]) if names else None
        if end is None or header is None or end.segment != names[-1] or len(end.moved) >= MOVED_MAX:
            return list(recover(folder, folder.name).positions.values())
        moved = (position_from(entry) for entry in (*header.positions, *end.moved))
        return list({each.source: each for each in moved}.values())
    except (EdgetollError, OSError):  # `edge status` tells what is wrong with that spool
        return []
