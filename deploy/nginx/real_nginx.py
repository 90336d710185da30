"""Runs a real nginx with edgetoll's log formats on free ports of 127.0.0.1: for samples and for
tests.

It serves HTTP/1.1 without TLS and HTTP/1.1 and HTTP/2 with a self-signed certificate, keeps a small
proxy cache (so that `$upstream_cache_status` says HIT and MISS), and writes each request to
edgetoll.log (JSON) and edgetoll.tsv.
"""

from __future__ import annotations

import datetime
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

FORMATS = Path(__file__).with_name("edgetoll-log.conf")
NAMES = ("www.example.com", "static.example.net", "xn--bcher-kva.example")

CONFIG = """
{user}
daemon off;
master_process on;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    include {formats};
    access_log {folder}/edgetoll.log edgetoll_json;
    access_log {folder}/edgetoll.tsv edgetoll_tsv;
    client_body_temp_path {folder}/tmp1; proxy_temp_path {folder}/tmp2;
    fastcgi_temp_path {folder}/tmp3; uwsgi_temp_path {folder}/tmp4; scgi_temp_path {folder}/tmp5;
    proxy_cache_path {folder}/cache keys_zone=small:1m;
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{secure} ssl http2;
        server_name _;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        location / {{ return 200 "hello\\n"; }}
        location /missing {{ return 404; }}
        location /file {{ alias {folder}/files/big; }}
        location /socket {{
            proxy_pass http://127.0.0.1:{sockets}; proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
        }}
        location /calls. {{ grpc_pass grpc://127.0.0.1:{calls}; }}
        location /misdirected {{ return 421; }}
        location /moved {{ return 301 https://$host/; }}
        location /cached {{
            proxy_cache small; proxy_cache_valid 200 1h;
            proxy_pass http://127.0.0.1:{origin};
        }}
    }}
    server {{
        listen 127.0.0.1:{origin};
        access_log off;
        location / {{ return 200 "from the origin\\n"; }}
    }}
}}
"""


def find_nginx() -> str | None:
    """The nginx program of this machine, or None (`apt-get install nginx-light`)."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


class RealNginx:
    """A running nginx; a context manager. `log` and `tsv` are the files it writes, `big` one that
    it serves under /file.

    `sockets`, `calls`: ports that WebSockets (/socket) and gRPC (/calls.…) are handed on to.
    """

    def __init__(self, folder: Path, *, sockets: int = 9, calls: int = 9) -> None:
        self.folder = folder
        self.log = folder / "edgetoll.log"
        self.tsv = folder / "edgetoll.tsv"
        self.big = folder / "files" / "big"
        self.sockets, self.calls = sockets, calls
        self.plain, self.secure, self.origin = free_ports(3)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.big.parent.mkdir(parents=True, exist_ok=True)
        self.big.write_bytes(bytes(1_000_000))
        self_signed(self.folder)
        config = self.folder / "nginx.conf"
        config.write_text(
            CONFIG.format(
                # As root the workers would be somebody who cannot write the cache in this folder.
                user="user root;" if os.geteuid() == 0 else "",
                folder=self.folder,
                formats=FORMATS.resolve(),
                plain=self.plain,
                secure=self.secure,
                origin=self.origin,
                sockets=self.sockets,
                calls=self.calls,
            )
        )
        program = find_nginx()
        if program is None:
            raise FileNotFoundError("nginx: apt-get install -y nginx-light")
        self._process = subprocess.Popen([program, "-p", str(self.folder), "-c", str(config)])
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
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=20)
            self._process = None

    def reopen(self) -> None:
        """Tell nginx to open its logs again, as logrotate does after a rename."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)

    def wait_for(self, path: Path) -> None:
        """Wait until nginx has made `path` (after `reopen`)."""
        until = time.monotonic() + 10
        while not path.exists():
            if time.monotonic() > until:
                raise TimeoutError(f"nginx has not opened {path.name}")
            time.sleep(0.01)

    def url(self, path: str, *, secure: bool) -> str:
        """The URL of `path` on this server, by address."""
        scheme, port = ("https", self.secure) if secure else ("http", self.plain)
        return f"{scheme}://127.0.0.1:{port}{path}"

    def get(
        self, host: str, path: str, *, secure: bool, http2: bool = False, sni: str | None = None
    ) -> None:
        """One request with curl, so that a client nobody here wrote speaks to it.

        `sni`: the name to open the TLS connection for; None: none, as for an address.
        """
        version = "--http2" if http2 else "--http1.1"
        command = ["curl", "-s", "-k", version, "-o", "/dev/null", "-H", f"Host: {host}"]
        url = self.url(path, secure=secure)
        if sni is not None:
            url = f"https://{sni}:{self.secure}{path}"
            command += ["--resolve", f"{sni}:{self.secure}:127.0.0.1"]
        subprocess.run([*command, url], check=True, timeout=20)


def wait_until_it_listens(port: int, errors: Path) -> None:
    """Wait for a server on 127.0.0.1:`port`. Raises TimeoutError with what stands in `errors`."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(errors.read_text())


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def self_signed(folder: Path) -> None:
    """A key and a certificate for NAMES in `folder`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAMES[0])])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in NAMES]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
