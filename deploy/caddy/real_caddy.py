"""Runs a real Caddy on free ports of 127.0.0.1, with HTTP/1.1, HTTP/2 and HTTP/3: for samples and
tests.

    .venv/bin/python -m deploy.caddy.real_caddy     # builds Caddy once, into the cache

Caddy is built from its Go module by `go install`, at one version, whose content and that of all it
is made of Go checks against the public checksum database. That takes 3 CPU minutes with Go 1.26,
and once: the program stays in ~/.cache/edgetoll. Each request is a line of `log`, as Caddy writes
them, less what names a person: Caddy's own filter leaves addresses, headers and paths out.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.nginx.real_nginx import free_ports, self_signed, wait_until_it_listens

VERSION = "2.11.9"
MODULE = f"github.com/caddyserver/caddy/v2/cmd/caddy@v{VERSION}"
PROGRAM = Path.home() / ".cache" / "edgetoll" / f"caddy-{VERSION}" / "caddy"

CONFIG = """
{{
	admin off
	persist_config off
	auto_https off
	storage file_system {folder}/storage
	grace_period 500ms
}}
(site) {{
	log {{
		output file {folder}/access.log
		format filter {{
			request>remote_ip delete
			request>remote_port delete
			request>client_ip delete
			request>headers delete
			request>uri delete
			resp_headers delete
		}}
	}}
	handle /missing {{
		respond "nothing here" 404
	}}
	handle /file {{
		root {folder}/files
		rewrite * /big
		file_server
	}}
	handle /socket {{
		reverse_proxy 127.0.0.1:{sockets}
	}}
	handle /calls.* {{
		reverse_proxy h2c://127.0.0.1:{calls}
	}}
	handle {{
		respond "hello"
	}}
}}
http://:{plain} {{
	bind 127.0.0.1
	import site
}}
https://:{secure} {{
	bind 127.0.0.1
	tls {folder}/certificate.pem {folder}/key.pem
	import site
}}
"""


class CaddyError(Exception):
    """Caddy could not be built or started; the text says why."""


def build() -> Path:
    """The Caddy program, built if it is not there yet. Raises CaddyError."""
    if PROGRAM.exists():
        return PROGRAM
    go = shutil.which("go", path=f"{os.environ.get('PATH', '')}:/usr/local/go/bin")
    if go is None:
        raise CaddyError(f"no go to build Caddy {VERSION} with: install Go 1.25 or newer")
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PROGRAM.parent) as scratch:
        words = {"GOBIN": scratch, "GOFLAGS": "-trimpath -buildvcs=false"}
        done = subprocess.run(
            [go, "install", MODULE],
            env=os.environ | words,
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CaddyError(f"Caddy {VERSION} could not be built:\n{done.stderr[-2000:]}")
        os.replace(Path(scratch) / "caddy", PROGRAM)
    return PROGRAM


class RealCaddy:
    """A running Caddy; a context manager. `log` is the file it writes, `big` one that it serves
    under /file.

    `sockets`, `calls`: ports that WebSockets (/socket) and gRPC (/calls.…) are handed on to.
    """

    def __init__(self, folder: Path, *, sockets: int = 9, calls: int = 9) -> None:
        self.folder = folder
        self.log = folder / "access.log"
        self.big = folder / "files" / "big"
        self.sockets, self.calls = sockets, calls
        self.plain, self.secure = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.big.parent.mkdir(parents=True)
        self.big.write_bytes(bytes(1_000_000))
        self_signed(self.folder)
        config = self.folder / "Caddyfile"
        config.write_text(
            CONFIG.format(
                folder=self.folder,
                plain=self.plain,
                secure=self.secure,
                sockets=self.sockets,
                calls=self.calls,
            )
        )
        with open(self.folder / "error.log", "wb") as errors:
            self._process = subprocess.Popen(
                [build(), "run", "--config", config, "--adapter", "caddyfile"],
                stderr=errors,
                env=os.environ | {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)},
            )
        wait_until_it_listens(self.plain, self.folder / "error.log")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it: what it has served is in the log then."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=30)
            self._process = None

    def get(self, host: str, path: str, *, secure: bool, http2: bool = False) -> None:
        """One request with curl over HTTP/1.1 or HTTP/2."""
        scheme, port = ("https", self.secure) if secure else ("http", self.plain)
        where = ["--connect-to", f"{host}:{port}:127.0.0.1:{port}"]
        words = ["curl", "-sk", "--http2" if http2 else "--http1.1", "-o", "/dev/null", *where]
        subprocess.run([*words, f"{scheme}://{host}:{port}{path}"], check=True, timeout=20)


if __name__ == "__main__":
    print(build())
