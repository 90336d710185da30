"""Raw bytes of what could not be counted, kept as files named by their hash.

    quarantine/REASON-SHA256.batch    the bytes as they arrived
    quarantine/REASON-SHA256.json     partition, source, position, why, when first

Written before the transaction that counts them, so that a position never moves past bytes that are
not kept (FAULTS C27). Keeping the same bytes twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from edge.durable import write_atomically
from edge.errors import EdgetollError
from metering.counting.records import Rejected
from metering.hour import time_text

FOLDER = "quarantine"


class QuarantineFull(EdgetollError):
    """More raw bytes than the limit are kept: a flood, which a person has to look at."""


class Quarantine:
    """Keeps rejected units of one home, up to a number of bytes."""

    def __init__(self, home: Path, limit_bytes: int) -> None:
        self.folder = home / FOLDER
        self.limit_bytes = limit_bytes
        self.kept_bytes = sum(path.stat().st_size for path in self.folder.glob("*.batch"))

    def keep(self, rejected: Rejected) -> None:
        """Keep the bytes durably; raises QuarantineFull at the limit, before anything is lost."""
        digest = hashlib.sha256(rejected.data).hexdigest()
        path = self.folder / f"{rejected.reason}-{digest}.batch"
        if path.exists():
            return
        if self.kept_bytes + len(rejected.data) > self.limit_bytes:
            raise QuarantineFull(
                f"quarantine holds {self.kept_bytes} bytes, its limit is {self.limit_bytes};"
                f" partition {rejected.partition} halts at {rejected.source} {rejected.position}",
                "look at the reasons in `metering status`, then move files out of quarantine/"
                " or raise metering.quarantine_bytes",
            )
        note = {
            "partition": rejected.partition,
            "source": rejected.source,
            "position": rejected.position,
            "reason": rejected.reason,
            "detail": rejected.detail,
            "bytes": len(rejected.data),
            "first_seen": time_text(rejected.seen_ms),
        }
        write_atomically(
            path.with_suffix(".json"), json.dumps(note, indent=1, sort_keys=True).encode() + b"\n"
        )
        write_atomically(path, rejected.data)
        self.kept_bytes += len(rejected.data)
