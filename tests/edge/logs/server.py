"""A stand-in for a web server with logrotate: it writes nginx lines, half lines too, and rotates.

It knows exactly what it wrote. Rotation is by rename or by copy and truncate, chosen by the seed;
older files are compressed.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import threading
import time
from pathlib import Path

from tests.effort import PATIENCE_S


class BusyServer:
    """Writes to `log` from a thread until told to stop; `written` counts lines begun and ended."""

    def __init__(self, log: Path, seed: int) -> None:
        self.log = log
        self.written = 0
        self.rotations = 0
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()

    def __enter__(self) -> BusyServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(timeout=PATIENCE_S)

    def _run(self) -> None:
        while not self._stop.wait(self._random.uniform(0.0005, 0.01)):
            self._write(self._random.randint(1, 400))
            if self._random.random() < 0.03:
                self._rotate()

    def _write(self, count: int) -> None:
        text = "".join(self._line() for _ in range(count)).encode()
        cut = self._random.randint(0, len(text))
        with open(self.log, "ab", buffering=0) as file:
            file.write(text[:cut])
            file.write(text[cut:])

    def _line(self) -> str:
        self.written += 1
        now = time.time_ns() // 1_000_000
        scheme = "https" if self.written % 3 else "http"
        return (
            f'{{"time":"{now // 1000}.{now % 1000:03d}","host":"h{self.written % 7}.example",'
            f'"scheme":"{scheme}","protocol":"HTTP/1.1","status":"200",'
            f'"bytes_sent":"{self.written}","cache":"","id":"{self.written:032x}"}}\n'
        )

    def _rotate(self) -> None:
        self.rotations += 1
        for path in self.log.parent.glob(f"{self.log.name}.*[0-9]"):
            hidden = path.with_name(f"{path.name}.gz.tmp")
            hidden.write_bytes(gzip.compress(path.read_bytes(), 1))
            hidden.rename(path.with_name(f"{path.name}.gz"))
            path.unlink()
        rotated = self.log.with_name(f"{self.log.name}.{self.rotations}")
        if self._random.random() < 0.5:
            self.log.rename(rotated)
            self.log.touch()
        else:
            shutil.copy(self.log, rotated)
            os.truncate(self.log, 0)
