"""`edgetoll edge status`: where each edge's spool stands, for the person on call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.instants import now
from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption, emit, table, warn

_DISK_LOW_PERCENT = 20


def status(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Where each edge's spool stands: its agent, last batch, promise, backlog, refused lines.

    Reads only; may be called while an agent writes.

    Example: edgetoll edge status
    """
    from edge.agent.status import edge_statuses

    found = edge_statuses(home, now())
    emit({"edges": found}, as_json=as_json, human=lambda: _show_status(home, found))


def _show_status(home: Path, found: list[dict[str, Any]]) -> None:
    if not found:
        print(f"no edge has written to {home / 'spool'} yet: edgetoll edge import --help")
    columns = (
        "edge",
        "region",
        "agent",
        "last batch",
        "promise",
        "batches",
        "events",
        "unacknowledged",
    )
    rows: list[tuple[object, ...]] = []
    for each in found:
        if "epoch" not in each:
            rows.append((each["edge_id"], "-", "damaged", "-", "-", "-", "-", "-"))
            continue
        rows.append(
            (
                each["edge_id"],
                each["region"] or "-",
                f"pid {each['writer'].get('pid')}" if each["writer"] else "none",
                _ago(each["written_seconds_ago"]),
                _ago(each["watermark_seconds_ago"]),
                f"{each['batches']:,}",
                f"{each['events']:,}",
                f"{each['unacknowledged_bytes']:,} B",
            )
        )
    if found:
        table("edges", columns, rows, right=columns[5:])
    for each in found:
        for problem in (*each["problems"], *each["read_twice"]):
            warn(f"{each['edge_id']}: {problem}")
        for reason in each.get("held", ()):
            warn(f"{each['edge_id']}: the promise stands still: {reason}")
        if each.get("refused"):
            counts = ", ".join(f"{name} {count:,}" for name, count in each["refused"].items())
            warn(f"{each['edge_id']}: refused lines: {counts}; kept in {each['rejected']}")
        if each.get("disk_free_percent", 100) < _DISK_LOW_PERCENT:
            warn(f"{each['edge_id']}: {each['disk_free_percent']} % of the disk is free")


def _ago(seconds: int | None) -> str:
    """A distance in time as people say it."""
    if seconds is None:
        return "none yet"
    far = abs(seconds)
    text = (
        f"{far} s"
        if far < 120
        else f"{far // 60} min"
        if far < 7200
        else f"{far // 3600} h"
        if far < 172_800
        else f"{far // 86_400} d"
    )
    return f"{text} ago" if seconds >= 0 else f"{text} ahead"
