"""Random changes while `apply --watch` runs, is killed, and runs again: what is wished is served.

After each settling every domain is asked: a handshake and a request each way. Meanwhile a client
asks a domain that nothing touches, over HTTP and HTTPS, all the time: no request of it may fail.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import edgetoll
from billing.lake.query import connect
from edge.https.probe import REFUSED
from tests.edge.https.world import Edge
from tests.effort import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]
CALM = "calm.example"
CRASHES = ("https-linked", "https-renaming", "https-renamed", "https-reloaded", "https-told")


@dataclass
class Wish:
    """What a domain is to be, by the test's own book."""

    enabled: bool = False
    redirect: str = "off"
    hsts: bool = False
    stopped: bool = False


@dataclass(eq=False)
class Asking(threading.Thread):
    """A client of the calm domain, one connection a request, until it is told to end."""

    edge: Edge
    done: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        """Ask and count."""
        context = ssl.create_default_context(cafile=str(self.edge.home / "roots.pem"))
        while not self.done.wait(0.02):
            for secure in (False, True):
                self.asked += 1
                try:
                    answer = self._ask(context, secure=secure)
                except OSError as error:
                    answer = repr(error)
                if " 200 " not in answer:
                    self.failures.append(answer)

    def answered(self) -> Counter[str]:
        """What it asked, by class: each way as often as the other."""
        return Counter(http=self.asked // 2, https=self.asked // 2)

    def _ask(self, context: ssl.SSLContext, *, secure: bool) -> str:
        port = self.edge.https if secure else self.edge.http
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain:
            made = context.wrap_socket(plain, server_hostname=CALM) if secure else plain
            made.sendall(f"GET / HTTP/1.0\r\nHost: {CALM}\r\n\r\n".encode())
            return made.recv(200).split(b"\r\n")[0].decode() + " "


class Chaos:
    """Changes, kills, and looks."""

    def __init__(self, edge: Edge, seed: int, domains: int = 6) -> None:
        self.edge = edge
        self.chance = random.Random(seed)
        self.book = {f"d{number}.example": Wish() for number in range(domains)}
        self.log = open(edge.home.parent / "agent.log", "ab")  # noqa: SIM115  (of all agents)
        self.agent: subprocess.Popen[bytes] | None = None
        self.kills = 0
        self.killed_tests = 0
        self.changes = 0
        self.answered: Counter[str] = Counter()
        """Requests that curl made and got an answer to, by class; those of stopped domains not."""

    def begin(self) -> None:
        """The calm domain, nginx, the agent."""
        self.edge.upload("enable", CALM)
        assert self.edge.run("apply") == 1
        self.edge.start()
        self.edge.done("apply")
        self.start_agent()

    def start_agent(self) -> None:
        """`edgetoll edge https apply --watch`, sometimes with a place where it will be killed."""
        crash = ""
        if self.chance.random() < 0.3:
            crash = f"{self.chance.choice(CRASHES)}:{self.chance.randint(1, 3)}"
        self.agent = subprocess.Popen(
            [sys.executable, "edgetoll.py", "edge", "https", "apply", "--watch",
             "--home", str(self.edge.home)],
            cwd=ROOT,
            env={**os.environ, "EDGETOLL_CRASH": crash},
            stderr=self.log,
        )  # fmt: skip

    def kill(self) -> None:
        """kill -9 of the agent, and another one."""
        assert self.agent is not None
        self.agent.send_signal(signal.SIGKILL)
        self.agent.wait()
        self.kills += 1
        self.start_agent()

    def kill_test(self) -> None:
        """kill -9 of the `nginx -t` that the agent runs, if it runs one within a second."""
        assert self.agent is not None
        until = time.monotonic() + 1
        while time.monotonic() < until:
            try:
                place = Path(f"/proc/{self.agent.pid}/task")
                tasks = [path / "children" for path in place.iterdir()]
                children = [int(pid) for path in tasks for pid in path.read_text().split()]
                for child in children:
                    os.kill(child, signal.SIGKILL)
                    self.killed_tests += 1
                    return
            except OSError:
                pass

    def ask(self, url: str) -> dict[str, Any]:
        """One request by curl, counted if it is one that is billed."""
        answer = self.edge.curl(url)
        if answer["status"] and answer["status"] != 403:
            self.answered[url.partition(":")[0]] += 1
        return answer

    def change(self) -> None:
        """One random change that a person or billing could make."""
        domain = self.chance.choice(sorted(self.book))
        wish = self.book[domain]
        acts = ["stop"] if not wish.stopped else ["pay"]
        acts += ["disable", "renew", "renew", "set"] if wish.enabled else ["enable", "enable"]
        act = self.chance.choice(acts)
        if act in ("enable", "renew"):
            self.edge.upload(act, domain)
            if act == "enable":
                wish.enabled, wish.redirect, wish.hsts = True, "off", False
        elif act == "disable":
            self.edge.done("disable", domain)
            wish.enabled, wish.redirect, wish.hsts = False, "off", False
        elif act == "set":
            redirect, hsts = self.chance.choice(
                [("off", False), ("off", True), ("to-https", False), ("to-https", True),
                 ("to-http", False)]
            )  # fmt: skip
            self.edge.done("set", domain, "--redirect", "off", "--hsts", "1d" if hsts else "off")
            self.edge.done("set", domain, "--redirect", redirect)
            wish.redirect, wish.hsts = redirect, hsts
        else:
            wish.stopped = act == "stop"
            self.edge.stop_domains(*(name for name, one in self.book.items() if one.stopped))
        self.changes += 1

    def settle(self) -> None:
        """Wait until every domain is served as the book says; fail with the first that is not."""
        until = time.monotonic() + PATIENCE_S
        while True:
            wrong = [line for name in sorted(self.book) if (line := self.wrong(name))]
            if not wrong:
                return
            assert self.agent is not None
            if self.agent.poll() is not None:
                self.kills += 1
                self.start_agent()
            assert time.monotonic() < until, wrong

    def wrong(self, name: str) -> str:
        """How `name` is served other than the book says; blank when it is not."""
        wish, known = self.book[name], self.edge.settings(name)
        leaf = self.edge.leaf(name)
        wanted = known.certificate.sha256 if known and known.certificate else REFUSED
        if leaf != wanted:
            return f"{name}: handshake {leaf[:12]}, wished {wanted[:12]} {wish}"
        if known is None:
            return ""
        plain = self.ask(f"http://{name}/")
        secure = self.ask(f"https://{name}/") if wish.enabled else None
        status = (plain["status"], secure["status"] if secure else None)
        if wish.stopped:
            right = (403, 403 if wish.enabled else None)
        else:
            right = (
                301 if wish.enabled and wish.redirect == "to-https" else 200,
                (301 if wish.redirect == "to-http" else 200) if wish.enabled else None,
            )
        if status != right:
            return f"{name}: {status} instead of {right} {wish}"
        if secure and ("strict-transport-security" in secure["headers"]) != wish.hsts:
            return f"{name}: HSTS {wish}"
        return ""

    def run(self, changes: int) -> Asking:
        """`changes` changes in groups of one to four, each group settled; the calm client."""
        self.begin()
        client = Asking(self.edge)
        client.start()
        try:
            while self.changes < changes:
                for _ in range(self.chance.randint(1, 4)):
                    self.change()
                    act = self.chance.random()
                    if act < 0.25:
                        # At any point of what the agent does about it.
                        client.done.wait(self.chance.random() * 2)
                        self.kill()
                    elif act < 0.35:
                        self.kill_test()
                self.settle()
        finally:
            client.done.set()
            client.join(timeout=PATIENCE_S)
            assert self.agent is not None
            self.agent.kill()
            self.agent.wait()
        return client


ACCOUNTS = """
[[accounts]]
id = "all"
name = "Owner of all"
currency = "USD"
price_book = "alibaba-international"
"""


def billed(edge: Edge, names: list[str]) -> dict[str, int]:
    """What the edge's log comes to on the bill, by class: read, counted, closed, rated."""
    home = edge.home
    if not (home / "prices").exists():
        settings = (home / "edgetoll.toml").read_text()
        assert edgetoll.main(["init", str(home)]) == 0
        assert (home / "edgetoll.toml").read_text() == settings
    accounts = home / "owner.toml"
    owned = [f'\n[[domains]]\ndomain = "{name}"\naccount = "all"\n' for name in names]
    accounts.write_text(ACCOUNTS + "".join(owned))
    # An hour is closed when it is over: the same lines, two hours earlier.
    moved = home / "moved.log"
    lines = [json.loads(line) for line in (home / "access.log").read_text().splitlines()]
    moved.write_text(
        "".join(
            json.dumps(line | {"time": str(Decimal(line["time"]) - 7200)}) + "\n" for line in lines
        )
    )
    now = datetime.now(UTC).isoformat()
    for words in (
        ("billing", "load", str(accounts)),
        ("edge", "import", str(moved), "--format", "nginx", "--edge", "e1",
         "--region", "DE", "--through", now),
        ("metering", "run", "--drain"),
        ("billing", "rate"),
    ):  # fmt: skip
        assert edgetoll.main([*words, "--home", str(home)]) == 0, words
    with connect(home, query="usage_5min charges") as connection:
        found = connection.execute(
            "SELECT class, CAST(sum(requests) AS BIGINT) FROM usage_5min GROUP BY class"
        ).fetchall()
        (charged,) = connection.execute(
            "SELECT CAST(sum(quantity) AS BIGINT) FROM charges WHERE item = 'https_requests'"
        ).fetchall()
    counts = dict(found)
    assert charged == (counts.get("https"),)
    return counts
