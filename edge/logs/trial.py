"""What a mapping makes of a file, before anything is imported: events beside their raw lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import orjson

from edge.event import CACHES, CLASSES
from edge.instants import utc_text
from edge.logs.content import BYTE_ORDER_MARK, Content
from edge.logs.formats.block import Format, parse_whatever, physical_lines
from edge.logs.formats.judge_lines import shown
from edge.logs.formats.mapped import MappedParser
from edge.reasons import Reason

TRIED_BYTES: Final = 1 << 20
"""How much of a file is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedLine:
    """One line: what it is as an event, or why it is none; `line` counts from 1."""

    line: int
    raw: str
    event: dict[str, object] | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The first lines of a file by a format. `unmapped`: fields in them that nobody reads."""

    shown: tuple[TriedLine, ...]
    lines: int
    events: int
    refused: dict[Reason, int]
    examples: tuple[TriedLine, ...]
    unmapped: tuple[str, ...]
    notes: tuple[str, ...]

    def document(self) -> dict[str, object]:
        """As `--json` prints it."""

        def row(one: TriedLine) -> dict[str, object]:
            found: dict[str, object] = {"line": one.line, "raw": one.raw}
            if one.event is not None:
                return found | {"event": one.event}
            return found | {"refused": one.reason, "detail": one.detail}

        return {
            "lines": self.lines,
            "events": self.events,
            "refused": dict(sorted(self.refused.items())),
            "first": [row(one) for one in self.shown],
            "examples": [row(one) for one in self.examples],
            "unmapped": list(self.unmapped),
            "notes": list(self.notes),
        }


def try_format(form: Format, content: Content, now_ms: int, *, rows: int) -> Trial:
    """The first `rows` lines of `content` by `form`, and the totals of its first megabyte."""
    start = content.read_at(0, TRIED_BYTES).removeprefix(BYTE_ORDER_MARK)
    block = start[: start.rfind(b"\n") + 1] if len(start) >= TRIED_BYTES else start
    parser = form.make(content.path.name)
    parsed = parse_whatever(parser, block, now_ms)
    lines = physical_lines(block)
    told: dict[int, TriedLine] = {}
    columns = parsed.columns
    for place, line in enumerate(parsed.rows.tolist()):
        if len(told) >= rows:
            break
        told[line] = TriedLine(
            line=line + 1,
            raw=_raw(lines[line]),
            event={
                "time": utc_text(int(columns.time_ms[place])),
                "domain": columns.domains[columns.domain_index[place]],
                "class": CLASSES[columns.class_code[place]],
                "status": int(columns.status[place]),
                "bytes_sent": int(columns.bytes_sent[place]),
                "cache": CACHES[columns.cache[place]],
            },
        )
    refused = [
        TriedLine(
            line=each.row + 1, raw=_raw(lines[each.row]), reason=each.reason, detail=each.detail
        )
        for each in parsed.refused
    ]
    told |= {each.line - 1: each for each in refused[:rows]}
    first = {each.reason: each for each in reversed(refused)}
    return Trial(
        shown=tuple(told[place] for place in sorted(told)[:rows]),
        lines=parsed.lines,
        events=len(parsed.rows),
        refused=Counter(each.reason for each in parsed.refused),
        examples=tuple(sorted(first.values(), key=lambda each: each.line)),
        unmapped=_unmapped(parser, lines) if isinstance(parser, MappedParser) else (),
        notes=parsed.notes,
    )


def _raw(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")


def _unmapped(parser: MappedParser, lines: list[bytes]) -> tuple[str, ...]:
    """Fields that stand in the lines and that the mapping does not read."""
    known = parser.known_fields()
    if known is None:
        known = tuple(dict.fromkeys(name for line in lines[:200] for name in _keys(line)))
    used = parser.used_fields()
    return tuple(
        name
        for name in known
        if name not in used and not any(each.startswith(f"{name}.") for each in used)
    )


def _keys(line: bytes) -> list[str]:
    """The fields of a JSON object, with dots."""
    try:
        found = orjson.loads(line[max(line.find(b"{"), 0) :])
    except orjson.JSONDecodeError:
        return []
    return _leaves(found, "") if isinstance(found, dict) else []


def _leaves(found: dict[str, object], before: str) -> list[str]:
    names: list[str] = []
    for key, value in found.items():
        names += _leaves(value, f"{before}{key}.") if isinstance(value, dict) else [before + key]
    return names


def line_of_trial(one: TriedLine) -> str:
    """A line of a trial for a person: what it became, and the raw text below."""
    if one.event is None:
        what = f"{one.reason}: {one.detail}" if one.detail else one.reason
    else:
        event = one.event
        parts = (event["time"], event["domain"] or "(no domain name)", event["class"])
        what = "  ".join(map(str, (*parts, event["status"], event["bytes_sent"])))
        what += f"  {event['cache']}" if event["cache"] else ""
    return f"{one.line:>4}  {what}\n      {shown(one.raw, 400)}"
