"""A whole edge on 127.0.0.1: a real nginx that `edge https apply` configures, an origin, a CA."""

from __future__ import annotations

import http.server
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import edgetoll
from edge.https.probe import served_leaf
from edge.https.records import HttpsSettings
from edge.https.wishes import Wishes
from tests.edge.https.making import Ca, Key, key_pem, pem, roots_file, traces_of
from tests.effort import PATIENCE_S


class Tee(io.TextIOBase):
    """Writes to both."""

    def __init__(self, first: Any, second: io.StringIO) -> None:
        self.first = first
        self.second = second

    def write(self, text: str) -> int:
        self.second.write(text)
        return int(self.first.write(text))

    def flush(self) -> None:
        self.first.flush()

    def isatty(self) -> bool:
        return bool(self.first.isatty())


class Origin(http.server.BaseHTTPRequestHandler):
    """An origin that says which host it was asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"origin of {self.headers['Host']}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@dataclass
class Edge:
    """The edge under test."""

    home: Path
    root: Ca
    middle: Ca
    http: int
    https: int
    origin: str
    process: subprocess.Popen[bytes] | None = None
    said: io.StringIO = field(default_factory=io.StringIO)
    """All that its commands printed."""
    keys: list[Key] = field(default_factory=list)
    """The private keys that were uploaded, or tried to be."""

    def run(self, *words: str) -> int:
        """One `edgetoll edge https` command in this process; its exit code."""
        out, err = Tee(sys.stdout, self.said), Tee(sys.stderr, self.said)
        with redirect_stdout(out), redirect_stderr(err):
            return edgetoll.main(["edge", "https", *words, "--home", str(self.home)])

    def leaks(self) -> list[str]:
        """Where a key can be read besides the vault: in what was printed, or in any file at all of
        the test's folder (logs, journal, lake, spool, configuration) but the uploads themselves.
        """
        traces = [trace for key in self.keys for trace in traces_of(key)]
        folder = self.home.parent
        kept = (self.home / "https" / "vault", folder / "uploads")
        texts = {"what was printed": self.said.getvalue().encode()}
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.parent not in kept:
                texts[str(path)] = path.read_bytes()
        return [name for name, text in texts.items() if any(trace in text for trace in traces)]

    def done(self, *words: str) -> None:
        """One that must end well."""
        assert self.run(*words) == 0, words

    def files(self, *names: str, days: tuple[float, float] = (-1, 89)) -> tuple[str, str]:
        """A certificate for `names` and its key, as files."""
        leaf, key = self.middle.leaf(*names, now=datetime.now(UTC), days=days)
        folder = self.home.parent / "uploads"
        folder.mkdir(exist_ok=True)
        number = len(list(folder.iterdir()))
        certificate, secret = folder / f"{number}-chain.pem", folder / f"{number}-key.pem"
        self.keys.append(key)
        certificate.write_bytes(pem(leaf, self.middle.certificate))
        secret.write_bytes(key_pem(key))
        return str(certificate), str(secret)

    def upload(self, verb: str, domain: str, *names: str, origin: bool = True) -> None:
        """enable or renew with a fresh certificate."""
        certificate, key = self.files(*(names or (domain,)))
        more = ("--origin", self.origin) if verb == "enable" and origin else ()
        self.done(verb, domain, "--certificate", certificate, "--key", key, *more)

    def start(self) -> None:
        """Start nginx with the configuration that apply wrote."""
        folder = (self.home / "https" / "nginx").resolve()
        command = [
            "nginx",
            "-p",
            str(folder),
            "-c",
            str(folder / "nginx.conf"),
            "-g",
            "daemon off;",
        ]
        environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        self.wait()

    def wait(self) -> None:
        """Wait until it listens."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.http), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < until, "nginx does not listen"
                threading.Event().wait(0.02)

    def stop(self) -> None:
        """End nginx."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=PATIENCE_S)
            self.process = None

    def leaf(self, name: str) -> str:
        """What a handshake for `name` gets."""
        return served_leaf("127.0.0.1", self.https, name)

    def curl(self, url: str, *more: str, name: str = "") -> dict[str, Any]:
        """One request by curl: its status, redirect, headers and body."""
        host = name or url.split("//")[1].split("/")[0].split(":")[0]
        port = self.https if url.startswith("https") else self.http
        scheme, rest = url.split("//", 1)
        target = (
            f"{scheme}//{rest.split('/')[0].split(':')[0]}:{port}/{'/'.join(rest.split('/')[1:])}"
        )
        command = [
            "curl", "-s", "-i", "--max-time", "20", "--cacert", str(self.home / "roots.pem"),
            "--resolve", f"{host}:{port}:127.0.0.1", *more, target,
        ]  # fmt: skip
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        head, _, body = answer.stdout.partition("\n\n")
        lines = head.splitlines()
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        status = int(lines[0].split()[1]) if lines else 0
        return {"exit": answer.returncode, "status": status, "headers": headers, "body": body,
                "protocol": lines[0].split()[0] if lines else ""}  # fmt: skip

    def stop_domains(self, *names: str, excepted: dict[str, list[str]] | None = None) -> None:
        """Publish the stop list as billing does."""
        rows = [
            {"domain": name, "account_id": "a", "cause": "suspended", "since": "2026-11-30",
             "except": (excepted or {}).get(name, [])}
            for name in names
        ]  # fmt: skip
        document = {
            "format": 1,
            "as_of": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "count": len(rows),
            "domains": rows,
        }
        path = self.home / "suspended" / "domains.json"
        path.parent.mkdir(exist_ok=True)
        hidden = path.with_name(".domains.json")
        hidden.write_text(json.dumps(document))
        hidden.replace(path)

    def settings(self, domain: str) -> HttpsSettings | None:
        """What `domain` is wished to be."""
        return Wishes(self.home).read(domain)

    def status(self) -> dict[str, Any]:
        """https-status.json."""
        content: dict[str, Any] = json.loads((self.home / "https-status.json").read_text())
        return content


def new_edge(folder: Path, authorities: tuple[Ca, Ca], origin: str) -> Edge:
    """A home with its settings; nginx is started once apply has written something."""
    home = folder / "home"
    home.mkdir()
    root, middle = authorities
    roots_file(home, root)
    http_port, https_port = free_ports(2)
    user = 'user = "root"' if os.geteuid() == 0 else ""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    (home / "edgetoll.toml").write_text(
        f'[edge.https]\naddress = "127.0.0.1"\nhttp_port = {http_port}\nhttps_port = {https_port}\n'
        f'nginx = "{program}"\n{user}\nroots_file = "roots.pem"\nlog_file = "access.log"\n'
        "reload_seconds = 0\n"
    )
    return Edge(home, root, middle, http_port, https_port, origin)


def new_authorities() -> tuple[Ca, Ca]:
    """A root and an intermediate, valid now."""
    now = datetime.now(UTC)
    root = Ca.root(now=now)
    return root, root.intermediate(now=now)


@contextmanager
def running_origin() -> Iterator[str]:
    """A running origin's URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
