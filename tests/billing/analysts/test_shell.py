"""The shell: queries of several lines, help, questions; Ctrl-C ends the query and not the shell."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from billing.analysts.shell import Pager, Shell, history_file, is_whole, words_of
from billing.lake.query import QueryLimits

ROOT = Path(__file__).parents[3]
LIMITS = QueryLimits(seconds=120)
PROMPT = b"edgetoll>"
ASKED = b"\x1b[?2004l"
"""What prompt_toolkit writes when it hands on what was typed."""


def test_a_session_answers_describes_and_tells_errors_in_a_line(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    typed = ["\\d hours", "SELECT count(*) AS n FROM invoices;", "\\format jsonl",
             "SELECT 7 AS seven;", "\\plot bar", "\\q revenue_by_item", "\\plot", "SELECT x;",
             "\\nonsense", "\\d it's", "\\timing",
             "SELECT 8 AS eight;", "", "\\quit", "SELECT 9 AS nine;"]  # fmt: skip
    Shell(home=home, limits=LIMITS).run(iter(typed))
    out, error = capfd.readouterr()
    assert "edges that had not passed the hour's end" in out
    assert '{"seven": 7}' in out
    assert '"item": "https_requests"' in out
    assert "█" in out, "the question's rows are drawn"
    assert "no command \\nonsense" in error
    assert "No closing quotation" in error
    assert 'column "x" was not found' in error
    assert "nothing to draw" in error
    assert error.splitlines()[-1].endswith(" s")
    assert "nine" not in out


def test_what_is_completed_are_views_columns_macros_and_questions(home: Path) -> None:
    words = words_of(home, LIMITS)
    assert {"usage_daily", "account_id", "price_of", "unbilled", "SELECT", "\\d"} <= set(words)


@pytest.mark.parametrize(
    ("typed", "whole"),
    [("", True), ("\\d", True), ("SELECT 1", False), ("SELECT 1;", True),
     ("SELECT 1; -- that is it", True), ("SELECT 1 -- no; not yet", False)],
)  # fmt: skip
def test_a_query_ends_with_a_semicolon(typed: str, whole: bool) -> None:
    assert is_whole(typed) is whole


def test_the_history_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert history_file().stat().st_mode & 0o777 == 0o600


class Terminal:
    """A person at a terminal on which the shell runs."""

    def __init__(self, file: int) -> None:
        self.file = file
        self.seen = b""

    def until(self, word: bytes, *, typing: bytes = b"") -> bytes:
        """What is shown up to `word`, which must come within a minute; `typing`: what the person
        types again and again until then.
        """
        end = time.monotonic() + 60
        while word not in self.seen:
            wait = 0.2 if typing else max(0, end - time.monotonic())
            ready, _, _ = select.select([self.file], [], [], wait)
            if typing and not ready and time.monotonic() < end:
                self.type(typing)
                continue
            assert ready, self.seen[-2000:]
            said = os.read(self.file, 65536)
            if b"\x1b[6n" in said:  # where is the cursor?
                os.write(self.file, b"\x1b[1;1R")
            self.seen += said
        before, _, self.seen = self.seen.partition(word)
        return before

    def type(self, text: bytes) -> None:
        """Type `text`."""
        os.write(self.file, text)


@contextmanager
def terminal(home: Path, state: Path, root: Path) -> Iterator[Terminal]:
    """`edgetoll sql` on a terminal of its own, of a machine without the pager."""
    child, file = pty.fork()
    if child == 0:
        pager = {"PAGER": "no-such-pager -F"}
        environ = {**os.environ, **pager, "TERM": "xterm", "XDG_STATE_HOME": str(state)}
        # A terminal's shell lets Ctrl-C through, whatever whoever started the tests made of it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        words = [sys.executable, str(root / "edgetoll.py"), "sql", "--home", str(home)]
        os.execve(sys.executable, words, environ)
    try:
        yield Terminal(file)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(file)


def test_ctrl_c_stops_the_query_and_leaves_the_shell(
    home: Path, tmp_path: Path, root: Path
) -> None:
    with terminal(home, tmp_path, root) as person:
        person.until(PROMPT)
        person.type(b"SELECT count(*) AS endless\rFROM range(100000000000) a, range(9) b;\r")
        person.until(ASKED)
        # The first may come while the prompt still reads keys: a person presses it again.
        assert b"took longer" not in person.until(b"stopped", typing=b"\x03")
        person.until(PROMPT)
        person.type(b"SELECT 40 + 2 AS answer;\r")
        person.until(b"42")
        person.until(PROMPT)
        person.type(b"\x04")
    assert "endless" in (tmp_path / "edgetoll" / "sql_history").read_text()


def test_a_pager_starts_with_the_first_row_and_not_while_a_query_runs(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    through = ["sh", "-c", f"cat > {seen}"]
    Pager(through).close()
    assert not seen.exists()
    pager = Pager(through)
    pager.write("a row\n")
    pager.write("and another\n")
    pager.close()
    assert seen.read_text() == "a row\nand another\n"


def test_a_long_query_tells_how_far_it_is_on_a_terminal(home: Path) -> None:
    ours, theirs = os.openpty()
    long = "SELECT count(*) AS n FROM range(1000000) a, range(1000000) b"
    words = ["sql", long, "--home", str(home), "--timeout", "2", "--format", "csv"]
    with subprocess.Popen(
        [sys.executable, str(ROOT / "edgetoll.py"), *words],
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm"},
    ) as asked:
        os.close(theirs)
        told = b""
        with suppress(OSError):  # the terminal is gone with the process
            while part := os.read(ours, 4096):
                told += part
        assert asked.stdout is not None
        assert asked.stdout.read() == b""
    os.close(ours)
    assert b"Ctrl-C stops it" in told
    assert b"longer than 2 s" in told
    hidden, shown = told.rfind(b"\x1b[?25l"), told.rfind(b"\x1b[?25h")
    assert -1 < hidden < shown, "the cursor is back"
