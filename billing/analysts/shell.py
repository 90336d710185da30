"""`edgetoll sql` on a terminal: a shell with history, completion and help, by prompt_toolkit.

Each query is asked in a process of its own, of the lake as it is then: Ctrl-C ends that process and
nothing else. A query ends with `;` and may have many lines; what begins with a backslash is for the
shell.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING

from billing.analysts import dictionary, library
from billing.analysts.options import picture_shown, rows_shown
from billing.lake.export import FORMATS, NOT_TEXT
from billing.lake.query import QueryLimits, ask_alone, connect
from billing.lake.result import QueryResult
from edge.errors import EdgetollError, InputError
from edge.terminal import table
from sql import names as sql_names
from sql import text as sql_text

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

HELP = """
  \\d              the views            \\d VIEW    its columns and what they mean
  \\q              the questions        \\q NAME k=v …   ask one
  \\format FORMAT  how rows are shown: {formats}
  \\plot KIND      draw the last query: line, bar, stack, heat
  \\timing         say how long each query took; again: no more
  \\?  \\quit       this help; leave (or Ctrl-D)
A query ends with ; and may have many lines. Ctrl-C stops the query that runs.
""".strip("\n")
KEYWORDS = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "ORDER",
    "LIMIT",
    "JOIN",
    "LEFT",
    "ON",
    "USING",
    "WITH",
    "AS",
    "AND",
    "OR",
    "NOT",
    "NULL",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "DISTINCT",
    "HAVING",
    "UNION",
    "ALL",
    "FILTER",
    "OVER",
    "PARTITION",
    "CAST",
    "INTERVAL",
    "COUNT",
    "SUM",
    "MIN",
    "MAX",
]


@dataclass(slots=True)
class Shell:
    """What one session knows: how rows are shown, and the last query."""

    home: Path
    limits: QueryLimits
    format: str = "table"
    timing: bool = False
    last: str = ""
    given: dict[str, library.Value] = field(default_factory=dict)
    """The parameters of the last query, where it was a question."""
    ask: Callable[..., None] = field(default=ask_alone)

    def run(self, lines: Iterator[str]) -> None:
        """Answer each of `lines` until they end or one says quit; errors are told in a line."""
        for line in lines:
            try:
                if self.answer(line.strip()):
                    return
            except KeyboardInterrupt:
                print("stopped", file=sys.stderr)
            except EdgetollError as error:
                print(f"{error.message}\n  hint: {error.hint}", file=sys.stderr)

    def answer(self, line: str) -> bool:
        """Do what `line` says; True: leave."""
        if not line:
            return False
        if not line.startswith("\\"):
            self.last, self.given = line, {}
            self._ask(line, rows_shown(self.format, None))
            return False
        try:
            word, *more = shlex.split(line[1:]) or [""]
        except ValueError as error:
            raise InputError(f"{line}: {error}", "close what the quote opens") from error
        if word in ("quit", "exit"):
            return True
        commands: dict[str, Callable[[list[str]], None]] = {
            "?": self._help, "h": self._help, "d": self._describe, "q": self._question,
            "format": self._format, "plot": self._plot, "timing": self._timing,
        }  # fmt: skip
        if word not in commands:
            raise InputError(f"no command \\{word}", "\\? lists them")
        commands[word](more)
        return False

    def _help(self, _words: list[str]) -> None:
        print(HELP.format(formats=", ".join(one for one in FORMATS if one not in NOT_TEXT)))

    def _describe(self, words: list[str]) -> None:
        known = {entry.name: entry for entry in dictionary.views()}
        if not words:
            table("", ["view", "what it says"], [(name, one.title) for name, one in known.items()])
            return
        if words[0] not in known:
            raise InputError(f"no view «{words[0]}»", "\\d lists them")
        entry = known[words[0]]
        print(f"{entry.title}\nGrain: {entry.grain} Owner: {entry.owner}.")
        with connect(self.home, self.limits, query=entry.name) as connection:
            relation = connection.table(entry.name)
            rows = [
                (name, str(kind), entry.meaning(name))
                for name, kind in zip(relation.columns, relation.types, strict=True)
            ]
        table("", ["column", "type", "meaning"], rows)

    def _question(self, words: list[str]) -> None:
        if not words:
            rows = [(one.name, one.title) for one in library.all_queries()]
            table("", ["question", "what it answers"], rows)
            return
        asked = library.find(words[0])
        self.last, self.given = asked.text, asked.values(words[1:])
        self._ask(self.last, rows_shown(self.format, None), self.given)

    def _format(self, words: list[str]) -> None:
        shown = [one for one in FORMATS if one not in NOT_TEXT]
        if not words or words[0] not in shown:
            raise InputError("no such format here", f"one of {', '.join(shown)}")
        self.format = words[0]

    def _plot(self, words: list[str]) -> None:
        if not self.last:
            raise InputError("nothing was asked yet", "ask a query first, then \\plot bar")
        shown = picture_shown(words[0] if words else "bar", None, "")
        self._ask(self.last, shown, self.given)

    def _timing(self, _words: list[str]) -> None:
        self.timing = not self.timing
        print(f"timing is {'on' if self.timing else 'off'}")

    def _ask(
        self,
        text: str,
        show: Callable[[QueryResult], None],
        values: dict[str, library.Value] | None = None,
    ) -> None:
        began = time.monotonic()

        def shown(result: QueryResult) -> None:
            with paged():
                show(result)

        self.ask(self.home, text, shown, self.limits, values=values)
        if self.timing:
            print(f"{time.monotonic() - began:.3f} s", file=sys.stderr)


class Pager(io.TextIOBase):
    """What is written here is read through a program, which starts with the first of it: while a
    query runs, the terminal is the shell's, and Ctrl-C stops that.
    """

    encoding = "utf-8"

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__()
        self._words = words
        self._process: Popen[str] | None = None

    def write(self, text: str) -> int:
        """Hand `text` on; BrokenPipeError when the reader has left."""
        if self._process is None:
            self._process = Popen(self._words, stdin=PIPE, text=True)
        assert self._process.stdin is not None
        return self._process.stdin.write(text)

    def close(self) -> None:
        """No more comes: wait until the reader has seen it."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait()
        super().close()


@contextmanager
def paged() -> Iterator[None]:
    """Standard output through a pager, on a terminal: one that leaves what fits on the screen, and
    ends at Ctrl-C, as the query does that feeds it.
    """
    pager = os.environ.get("PAGER", "less -FRSXK")
    if not sys.stdout.isatty() or not pager:
        yield
        return
    from shutil import get_terminal_size, which

    words = shlex.split(pager)
    if which(words[0]) is None:  # a machine without it: the terminal scrolls
        yield
        return
    os.environ.setdefault("COLUMNS", str(get_terminal_size().columns))
    kept, through = sys.stdout, Pager(words)
    sys.stdout = through
    # Who leaves the pager early has seen enough.
    with suppress(BrokenPipeError):
        try:
            yield
        finally:
            sys.stdout = kept
            through.close()


def words_of(home: Path, limits: QueryLimits) -> list[str]:
    """What is completed: views, their columns, macros, questions and the words of SQL."""
    found = {path.rpartition("/")[2] for path in (*sql_names("macros"), *sql_names("queries"))}
    with connect(home, limits) as connection:
        views = connection.execute(sql_text("statements/lake/read/list_views")).fetchall()
    for name, columns in views:
        found |= {name, *columns.split(", ")}
    commands = ["\\d", "\\q", "\\format", "\\plot", "\\timing", "\\?", "\\quit"]
    return [*sorted(found), *KEYWORDS, *commands]


def history_file() -> Path:
    """Where what was typed is kept between sessions: only its owner reads it."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    path = Path(state).joinpath("edgetoll", "sql_history")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    return path


def is_whole(text: str) -> bool:
    """Whether what was typed can be answered: a command, or a query that ends with `;`."""
    bare = re.sub(r"--[^\n]*$", "", text.strip(), flags=re.MULTILINE).rstrip()
    return not bare or bare.startswith("\\") or bare.endswith(";")


def session(words: Iterable[str]) -> PromptSession[str]:
    """A prompt with history, completion and several lines."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import FileHistory

    prompt: PromptSession[str] = PromptSession(
        history=FileHistory(str(history_file())),
        auto_suggest=AutoSuggestFromHistory(),
        completer=WordCompleter(
            list(words), ignore_case=True, pattern=re.compile(r"\\?[A-Za-z0-9_]+|\\\?")
        ),
        complete_while_typing=False,
        prompt_continuation="     ... ",
    )
    prompt.multiline = Condition(lambda: not is_whole(prompt.default_buffer.text))
    return prompt


def _lines(prompt: PromptSession[str]) -> Iterator[str]:
    while True:
        try:
            yield prompt.prompt("edgetoll> ")
        except KeyboardInterrupt:
            continue  # what was typed is left; the shell stays
        except EOFError:
            return


def start(home: Path, limits: QueryLimits) -> None:
    """The shell on this terminal, until Ctrl-D."""
    prompt = session(words_of(home, limits))
    print(f"{home}: \\? for help, \\d for the views, \\q for the questions")
    Shell(home=home, limits=limits).run(_lines(prompt))
