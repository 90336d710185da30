"""What an agent says of itself in `spool/EDGE/agent.json`: why its promise stands still, above all.

Written every few seconds, and at once when it changes; no promise hangs on it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import orjson

from edge.durable import write_atomically

REPORT: Final = "agent.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReport:
    """The state of an agent. `held`: why the promise does not move on, a sentence each; blank when
    it does. `repeated_ids` and `nul_bytes` count since the agent was started. `examples` has the
    first refused line of each reason.
    """

    at_ms: int = 0
    held: tuple[str, ...] = ()
    repeated_ids: int = 0
    nul_bytes: int = 0
    examples: dict[str, str] = field(default_factory=dict)


def write_report(folder: Path, report: AgentReport) -> None:
    """Replace the report of the spool in `folder`. Raises OSError."""
    write_atomically(folder / REPORT, orjson.dumps(asdict(report)) + b"\n")


def read_report(folder: Path) -> AgentReport:
    """The report of the spool in `folder`; an empty one where there is none that can be read."""
    try:
        found = orjson.loads((folder / REPORT).read_bytes())
        return AgentReport(
            at_ms=int(found["at_ms"]),
            held=tuple(map(str, found["held"])),
            repeated_ids=int(found["repeated_ids"]),
            nul_bytes=int(found["nul_bytes"]),
            examples={str(reason): str(text) for reason, text in found["examples"].items()},
        )
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return AgentReport()
