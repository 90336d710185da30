"""The demo's stage: runs edgetoll's own commands, writes rotating logs, and prints for people.

Each command is a process of its own, with the words that a person or cron would type.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import edgetoll
from edge.errors import EdgetollError
from edge.escaping import bare
from edge.terminal import progress
from examples.commands import Commands, StartedCommand

CHUNKS = 6
REAL_EDGES = (("nginx-real", "nginx", "US"), ("caddy-real", "caddy", "US"))
"""Edges whose log a real server wrote (examples/logs): name, format, region."""


SELLER = """
[invoices.seller]
name = "Demo CDN (a demonstration, no company)"
address = ["12 Rehearsal Road", "Dublin 2, Ireland"]
tax_id = "IE0000000DEMO"
country = "IE"
email = "billing@demo-cdn.example"
payment = ["This is a demonstration: please pay nothing."]
"""


class Stage:
    """Where the demo plays: one home, one program, one pen."""

    def __init__(self, home: Path, commands: Commands | None = None) -> None:
        self.home = home
        self.commands = commands or Commands()
        self.logs = home / "logs"
        forced = "FORCE_COLOR" in os.environ
        self.out = bare(sys.stdout)  # colours of our own, and of the commands it runs
        self.bright = (sys.stdout.isatty() or forced) and "NO_COLOR" not in os.environ

    def paint(self, code: str, text: str) -> str:
        """`text` in a colour where there is a terminal."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.bright else text

    def headline(self, text: str) -> None:
        """What happens next."""
        print(f"\n{self.paint('1;36', text)}", flush=True, file=self.out)

    def announce(self, words: tuple[str, ...]) -> None:
        """Show a command as a person would type it."""
        typed = " ".join(near(w) if w.isprintable() and " " not in w else "…" for w in words)
        print(self.paint("2", f"$ edgetoll {typed}"), flush=True, file=self.out)

    def run(self, *words: str, show: bool = False) -> str:
        """Run one command; its output is shown where it is the point, else its last line."""
        self.announce(words)
        began = time.monotonic()
        said = self.finish(words, self.start(words), show=show)
        if os.environ.get("EDGETOLL_DEMO_TIMES"):
            print(f"  {time.monotonic() - began:.1f} s", file=self.out)
        return said

    def run_at_once(self, commands: Sequence[tuple[str, ...]]) -> None:
        """Run commands that have nothing to do with each other, as their own machines would."""
        running = [(words, self.start(words)) for words in commands]
        for words, command in running:
            self.announce(words)
            self.finish(words, command)

    def start(self, words: tuple[str, ...]) -> StartedCommand:
        """Start one command."""
        environment = {}
        if self.bright:
            environment = {"FORCE_COLOR": "1", "COLUMNS": str(shutil.get_terminal_size().columns)}
        home = [] if words[0] in ("init",) else ["--home", str(self.home)]
        return self.commands.start([*words, *home], environment)

    def finish(self, words: tuple[str, ...], command: StartedCommand, *, show: bool = False) -> str:
        """Wait for a command and print what it said; one that failed ends the demo."""
        out, err = command.said()
        if command.wait() != 0:
            raise EdgetollError(
                f"edgetoll {' '.join(words)} failed: {(err or out).strip()}",
                "this is a defect: please report it",
            )
        spoken = out.rstrip("\n") if show else (out + err).strip()
        lines = spoken.splitlines() if show else spoken.splitlines()[-2:]
        for line in lines:
            print(line if show else self.paint("2", f"  {line}"), file=self.out)
        return out

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query, exact; asked as `edgetoll sql` asks, in this process."""
        from billing.lake.query import connect

        with connect(self.home, query=query) as connection:
            answer = connection.execute(query)
            names = [column[0] for column in answer.description]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def write_seller(self) -> None:
        """Who sells in this demo: nothing is issued in the name of the shipped example."""
        with open(self.home / "edgetoll.toml", "a", encoding="utf-8") as file:
            file.write(SELLER)

    def write_accounts(self, start: datetime, as_of: datetime) -> None:
        """The demo's accounts: the example file with this demo's dates."""
        text = (files("examples") / "demo_accounts.toml").read_text(encoding="utf-8")
        begin = (start - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        dates = {
            "@BEGIN@": begin.isoformat(),
            "@END@": (begin + timedelta(days=365)).isoformat(),
            "@RECENT@": (as_of - timedelta(days=5)).replace(minute=0, second=0).isoformat(),
        }
        for mark, value in dates.items():
            text = text.replace(mark, value)
        (self.home / "demo_accounts.toml").write_text(text, encoding="utf-8")

    def load_accounts(self) -> None:
        """Accounts, ownership and plans; then what they paid in, each payment under its own id."""
        from examples.payments import PAYMENTS

        accounts = self.home / "demo_accounts.toml"
        begin = next(
            line.split('"')[1]
            for line in accounts.read_text(encoding="utf-8").splitlines()
            if line.startswith("# begins ")
        )
        # A second run says again what happened then, behind everything that has happened since.
        then = ("--as-of", begin, "--really")
        self.run("billing", "load", str(accounts), *then)
        for account, amount, key in PAYMENTS:
            self.run("billing", "top-up", account, amount, "--id", key, *then)

    def traffic(
        self, *, seed: int, start: datetime, end: datetime, requests: int
    ) -> dict[str, int]:
        """Write logs that rotate while the agents tail them; returns requests by class."""
        from examples.traffic import EDGES, traffic

        truth: dict[str, int] = {"http": 0, "https": 0, "quic": 0}
        self.headline(f"Traffic: {requests:,} requests through {len(EDGES)} edges, logs rotating")
        for edge in EDGES:
            (self.logs / edge.edge_id).mkdir(parents=True, exist_ok=True)
            (self.logs / edge.edge_id / "access.log").touch()
        with self.agents(), progress("log lines", requests) as advance:
            written: dict[str, int] = {}
            for chunk in traffic(seed=seed, start=start, end=end, requests=requests, chunks=CHUNKS):
                log = self.logs / chunk.edge.edge_id / "access.log"
                number = written.get(chunk.edge.edge_id, 0)
                if number:
                    log.rename(log.with_name(f"access.log.{number}"))
                written[chunk.edge.edge_id] = number + 1
                with open(log, "a", encoding="utf-8") as file:
                    file.write(chunk.lines.str.join("\n").item() + "\n")
                for name, amount in chunk.truth.select("class", "requests").rows():
                    truth[name] += amount
                advance(len(chunk.lines))
        return truth

    @contextmanager
    def agents(self) -> Iterator[None]:
        """One tailing agent per edge, as a fleet has them, for as long as the block runs."""
        from examples.traffic import EDGES

        running: list[StartedCommand] = []
        try:
            for edge in EDGES:
                words = self.tail_words(edge.edge_id, edge.region)
                self.announce(words)
                running.append(self.start(words))
            yield
        finally:
            for command in running:
                command.terminate()
            for command in running:
                command.wait(timeout=60)

    def tail_words(self, edge_id: str, region: str, *more: str) -> tuple[str, ...]:
        """How the agent of one edge is started; old lines are replayed, so it promises nothing."""
        log = str(self.logs / edge_id / "access.log")
        where = ("--log", log, "--format", "nginx", "--edge", edge_id, "--region", region)
        return ("edge", "tail", *where, "--from", "beginning", *(more or ("--no-promise",)))

    def finish_tailing(self, end: datetime) -> None:
        """Read every log to its end; each edge promises that it has nothing earlier to send."""
        from examples.traffic import EDGES

        promise = ("--once", "--through", end.isoformat())
        self.run_at_once([self.tail_words(edge.edge_id, edge.region, *promise) for edge in EDGES])

    def import_real_logs(self, end: datetime) -> dict[str, int]:
        """The logs that a real nginx and a real Caddy wrote, moved to yesterday; returns requests
        by class.
        """
        truth = {"http": 0, "https": 0, "quic": 0}
        commands = []
        for edge_id, form, region in REAL_EDGES:
            path = self.logs / f"{edge_id}.log"
            if not path.exists():
                source = files("examples") / "logs" / f"{edge_id}.log"
                move_log(source, path, end - timedelta(days=1))
            for line in path.read_text(encoding="utf-8").splitlines():
                truth[class_of(json.loads(line))] += 1
            words = ("--format", form, "--edge", edge_id, "--region", region)
            command = ("edge", "import", str(path), *words, "--through", end.isoformat())
            commands.append(command)
        self.run_at_once(commands)
        return truth

    def compare(self, counted: dict[str, int], truth: dict[str, int]) -> None:
        """Say whether what was counted is what the generator made, to the unit."""
        wanted = {name: amount for name, amount in truth.items() if amount}
        if counted != wanted:
            raise EdgetollError(
                f"counted {counted}, but {wanted} were made", "this is a defect: please report it"
            )
        total = sum(truth.values())
        print(
            self.paint("32", f"  {total:,} requests made, {total:,} counted: exact."),
            file=self.out,
        )

    def show_invoice(self, month: str) -> None:
        """The lines of the invoice that has a data-transfer plan on it, and where its files are."""
        self.run("query", "newest_invoice", "--param", "account=northwind", show=True)
        found = self.ask("SELECT max(invoice_no) AS n FROM invoices WHERE account_id = 'northwind'")
        for path in sorted((self.home / "invoices" / month).rglob("*")):
            if path.is_file() and str(found[0]["n"]) in path.name:
                print(self.paint("2", f"  {path}"), file=self.out)

    def ending(self, seconds: float) -> None:
        """Where everything is, and what to try next."""
        self.headline("Where the files are")
        width = max(28, len(str(self.home)) + 12)
        for folder, what in (
            ("spool/", "each edge's durable batches"),
            ("closed/", "closed hours, each with its certificate"),
            ("invoices/", "invoices as JSON, CSV, HTML and PDF"),
            ("lake/", "Parquet for analysts"),
            ("journal/", "every money movement, hash-chained"),
        ):
            print(f"  {self.home / folder!s:<{width}} {what}", file=self.out)
        self.headline("Try next")
        for words in (
            ("query", "top_accounts_by_spend", "--plot"),
            ("billing", "statement", "northwind"),
        ):
            print(f"  {program()} {' '.join(words)} --home {self.home}", file=self.out)
        print(self.paint("2", f"\n{seconds:.0f} s"), file=self.out)
        print("\nLook at all of it in a browser:", file=self.out)
        print(f"  {program()} console --home {self.home}", file=self.out)


def near(path: str) -> str:
    """A path as a person here would type it: without this folder's own; other words as they are."""
    return path.removeprefix(f"{Path.cwd()}/")


def program() -> str:
    """The words that start edgetoll here: its own name, or Python's before it is installed."""
    if shutil.which("edgetoll"):
        return "edgetoll"
    return f"{near(sys.executable)} {near(str(Path(edgetoll.__file__).resolve()))}"


def move_log(source: Any, target: Path, last: datetime) -> None:
    """Copy a JSON log so that its last line is at `last`; the lines' distances stay."""
    lines = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    key = "time" if "time" in lines[0] else "ts"
    moments = [int(Decimal(str(line[key])) * 1000) for line in lines]
    shift = int(last.timestamp() * 1000) - max(moments)
    with open(target, "w", encoding="utf-8") as file:
        for line, moment in zip(lines, moments, strict=True):
            whole, rest = divmod(moment + shift, 1000)
            file.write(json.dumps({**line, key: f"{whole}.{rest:03d}"}) + "\n")


def class_of(line: dict[str, Any]) -> str:
    """The billing class of a request that a real nginx or Caddy logged."""
    request = line.get("request", line)
    if str(request.get("proto", request.get("protocol"))).startswith("HTTP/3"):
        return "quic"
    return str(request.get("scheme", "https" if "tls" in request else "http"))
