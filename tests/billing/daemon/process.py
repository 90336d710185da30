"""A daemon in a process of its own, as a service manager starts it; its log is read by line."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.effort import PATIENCE_S

ROOT = Path(__file__).parents[3]
SETTINGS = """
[billing]
too_old_days = 60
[billing.daemon]
wake_seconds = 1
listen = "127.0.0.1:0"
invoices = false
"""


class Service:
    """One running `edgetoll …`, and what it has said."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "edgetoll.py", *words],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said: list[dict[str, Any]] = []
        self.text: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)
        self._lines.put(None)

    def _take(self) -> bool:
        """One more line; False at the end of the log."""
        try:
            line = self._lines.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise AssertionError(f"it said nothing more after {self.text}") from None
        if line is None:
            self._lines.put(None)
            return False
        self.text.append(line.rstrip())
        if line.startswith("{"):
            self.said.append(json.loads(line))
        return True

    def wait_for(self, event: str, **fields: Any) -> dict[str, Any]:
        """The next line of this event with these fields, from here on in the log."""
        while self._take():
            one = self.said[-1] if self.text[-1].startswith("{") else {}
            if one.get("event") == event and fields.items() <= one.items():
                return one
        raise AssertionError(f"it ended without saying {event} {fields}: {self.text}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.result()

    def result(self) -> int:
        """Wait for its own end; the exit code."""
        code = self.process.wait(PATIENCE_S)
        while self._take():
            pass
        self._reader.join()
        return code

    def events(self) -> list[str]:
        """What it has said so far, by event."""
        return [one["event"] for one in self.said]


@contextmanager
def service(*words: str) -> Iterator[Service]:
    """A service that is killed at the end of the block, if it is still there."""
    started = Service(*words)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.end(signal.SIGKILL)


def ask(port: int, path: str) -> tuple[int, str]:
    """GET a page of the daemon: status and text."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def ask_until(port: int, path: str, wanted: int) -> str:
    """GET a page until it answers with a status; its text then."""
    tick = threading.Event()
    for _ in range(PATIENCE_S * 10):
        status, text = ask(port, path)
        if status == wanted:
            return text
        tick.wait(0.1)
    raise AssertionError(f"{path} still answers {status}: {text}")
