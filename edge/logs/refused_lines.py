"""Refused lines of logs, kept for a person: `spool/EDGE/rejected/`, bounded in size.

One JSON object a line: source, name, line, offset, length, reason, and `raw` (or `raw_base64`,
where the bytes are no UTF-8), of which at most the first 4 KiB are kept. Two files take turns; what
they do not hold any more is counted in neither: the counts by reason stand in `counts.json` for
ever.
"""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from edge.durable import fsync_folder, write_atomically
from edge.logs.content import KEPT_BYTES_MAX
from edge.reasons import Reason
from edge.spool.state import refusal

FILE_BYTES_MAX: Final = 32 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedLine:
    """A refused line: where it stood (`line` counts from 1, `offset` in content bytes) and why."""

    source: str
    name: str
    line: int
    offset: int
    length: int
    reason: Reason
    raw: bytes

    def document(self) -> dict[str, object]:
        """As it is kept."""
        kept = self.raw[:KEPT_BYTES_MAX]
        found: dict[str, object] = {
            "source": self.source,
            "name": self.name,
            "line": self.line,
            "offset": self.offset,
            "length": self.length,
            "reason": self.reason.value,
        }
        try:
            found["raw"] = kept.decode("utf-8")
        except UnicodeDecodeError:
            found["raw_base64"] = base64.b64encode(kept).decode()
        return found


class RejectedLines:
    """The folder of refused lines of one spool; one writer, the holder of the spool's lock."""

    def __init__(self, spool_folder: Path, *, file_bytes_max: int = FILE_BYTES_MAX) -> None:
        self.folder = spool_folder / "rejected"
        self.file_bytes_max = file_bytes_max

    def keep(self, lines: Sequence[RejectedLine]) -> None:
        """Append `lines`, fsynced. A crash may keep a line twice: its source and offset tell.

        Raises SpoolFull or SpoolBroken when the disk refuses: then the lines were not passed yet.
        """
        try:
            self._keep(lines)
        except OSError as error:
            raise refusal(f"refused lines cannot be kept in {self.folder}", error) from error

    def _keep(self, lines: Sequence[RejectedLine]) -> None:
        """As keep(), raising OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        current = self.folder / "lines.jsonl"
        if current.exists() and current.stat().st_size >= self.file_bytes_max:
            os.replace(current, self.folder / "lines.1.jsonl")
        data = b"".join(orjson.dumps(line.document()) + b"\n" for line in lines)
        with open(current, "ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a crash or a full disk left half a line
                    file.write(b"\n")
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fsync_folder(self.folder)
        counts = Counter(self.counts())
        counts.update(line.reason.value for line in lines)
        write_atomically(self.folder / "counts.json", orjson.dumps(counts))

    def counts(self) -> dict[str, int]:
        """Refused lines by reason since this spool began; a crash may count some twice.

        A damaged file counts from nothing: these numbers are for people, and stop no agent.
        """
        try:
            found = orjson.loads((self.folder / "counts.json").read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return {}
        return {str(reason): int(count) for reason, count in found.items()}
