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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from edge.durable import fsync_folder, write_atomically
from edge.logs.chunks import KEPT_BYTES_MAX
from edge.logs.formats.judge_lines import shown
from edge.reasons import Reason
from edge.spool.state import refusal

FILE_BYTES_MAX: Final = 32 << 20
COUNTS: Final = "counts.json"
ASIDE: Final = "counts.damaged.json"
"""Damaged counts, put aside for a person when the next line is refused."""


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
    detail: str = ""

    def told(self) -> str:
        """The line and what was wrong with it, for a person."""
        why = f": {self.detail}" if self.detail else ""
        return f"{self.name}, line {self.line}: {self.reason}{why}: {shown(self.raw, 80)}"

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
        if self.detail:
            found["detail"] = self.detail
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
        before = self.counts()
        if read_counts(self.folder / COUNTS) is None:
            os.replace(self.folder / COUNTS, self.folder / ASIDE)
        kept = [orjson.dumps(line.document()) + b"\n" for line in lines]
        while kept:
            kept = kept[self._append(current, kept) :]
        fsync_folder(self.folder)
        counts = Counter(before)
        counts.update(line.reason.value for line in lines)
        write_atomically(self.folder / COUNTS, orjson.dumps(counts))

    def _append(self, current: Path, kept: list[bytes]) -> int:
        """As many of `kept` as `current` has room for, fsynced; a full file becomes the old one."""
        with open(current, "ab+") as file:
            size = file.tell()
            if size:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a crash or a full disk left half a line
                    file.write(b"\n")
                    size += 1
            fitting = 0
            while fitting < len(kept) and size + len(kept[fitting]) <= self.file_bytes_max:
                size += len(kept[fitting])
                fitting += 1
            if not size and not fitting:
                fitting = 1  # a bound below one line: kept all the same
            file.write(b"".join(kept[:fitting]))
            file.flush()
            os.fsync(file.fileno())
        if fitting < len(kept):
            os.replace(current, self.folder / "lines.1.jsonl")
        return fitting

    def counts(self) -> dict[str, int]:
        """Refused lines by reason since this spool began; a crash may count some twice.

        Where the file is damaged, those of the lines that are kept, which may be fewer: these
        numbers are for people, and stop no agent. `damage` tells.
        """
        counted = read_counts(self.folder / COUNTS)
        return self._kept_counts() if counted is None else counted

    def damage(self) -> list[str]:
        """A line where the counts are not whole; none where they are."""
        aside = self.folder / ASIDE
        if not aside.exists() and read_counts(self.folder / COUNTS) is not None:
            return []
        return [
            f"{self.folder / COUNTS} was damaged: refused lines are counted from those that are"
            f" kept; remove {aside} when you have seen it"
        ]

    def _kept_counts(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for path in (self.folder / "lines.1.jsonl", self.folder / "lines.jsonl"):
            try:
                lines = path.read_bytes().splitlines()
            except FileNotFoundError:
                continue
            for line in lines:
                # Half a line is of a crash: it was read and kept once more.
                with suppress(orjson.JSONDecodeError, KeyError, TypeError):
                    found[str(orjson.loads(line)["reason"])] += 1
        return dict(found)


def read_counts(path: Path) -> dict[str, int] | None:
    """What a file of counts says; nothing where there is none yet, None where it is damaged."""
    try:
        found = orjson.loads(path.read_bytes())
        return {str(reason): _count(count) for reason, count in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError, AttributeError, TypeError):
        return None


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r} is no count")
    return value
