"""The demo's last part: a real nginx serves two domains over HTTPS, one redirected, one suspended
for arrears and back after payment, each shown by curl. In a home of its own that is thrown away.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.errors import EdgetollError
from examples.stage import Stage

SHOP, PRESS = "www.shop.example", "www.press.example"
PATIENCE_SECONDS = 60
ACCOUNTS = f"""
[[accounts]]
id = "shop"
name = "A shop without money"
currency = "USD"
price_book = "alibaba-international"
grace_hours = 0
suspension_policy = "auto"

[[accounts]]
id = "press"
name = "A newspaper"
currency = "USD"
price_book = "alibaba-international"

[[domains]]
domain = "{SHOP}"
account = "shop"

[[domains]]
domain = "{PRESS}"
account = "press"
"""


def play(stage: Stage) -> None:
    """Show it, or say in one line that there is no nginx to show it with."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None or shutil.which("curl") is None:
        stage.headline("HTTPS at the edge: not shown, it needs nginx and curl (docs/https.md)")
        return
    stage.headline("HTTPS at the edge: a real nginx, two domains, certificates of a test CA")
    with (
        tempfile.TemporaryDirectory(prefix="edge-", dir=stage.home) as place,
        running_origin() as origin,
    ):
        edge = _Edge(Stage(Path(place) / "home", stage.commands), nginx)
        edge.prepare(origin)
        with edge.running():
            edge.curl(f"https://{SHOP}/", "200")
            edge.curl(f"http://{PRESS}/news", "301")
            stage.headline("What the shop used has taken its balance below zero: it is suspended")
            edge.use(Path(place) / "access.log")
            edge.curl(f"https://{SHOP}/", "403")
            edge.curl(f"https://{PRESS}/", "200")
            stage.headline("It pays, and is served again")
            edge.stage.run("billing", "top-up", "shop", "5.00", "--id", "demo-https-1")
            edge.curl(f"https://{SHOP}/", "200")


class _Edge:
    """The edge of this part: its home, nginx and the agent that brings nginx to what is wished."""

    def __init__(self, stage: Stage, nginx: str) -> None:
        self.stage = stage
        self.home = stage.home
        self.nginx = nginx
        self.http, self.https = free_ports()
        self.served: subprocess.Popen[bytes] | None = None

    def prepare(self, origin: str) -> None:
        """A home, two accounts, two domains with certificates."""
        self.stage.run("init", str(self.home))
        folder = self.home / "uploads"
        folder.mkdir()
        certify(folder, SHOP, PRESS)
        user = 'user = "root"\n' if os.geteuid() == 0 else ""
        with open(self.home / "edgetoll.toml", "a", encoding="utf-8") as settings:
            settings.write(
                f'\n[edge.https]\naddress = "127.0.0.1"\nhttp_port = {self.http}\n{user}'
                f'https_port = {self.https}\nnginx = "{self.nginx}"\nreload_seconds = 0\n'
                'roots_file = "uploads/root.pem"\nlog_file = "access.log"\n'
            )
        accounts = self.home / "https-accounts.toml"
        accounts.write_text(ACCOUNTS, encoding="utf-8")
        self.stage.run("billing", "load", str(accounts))
        for name in (SHOP, PRESS):
            chain, key = (str(folder / f"{name}.{end}") for end in ("pem", "key"))
            self.stage.run("edge", "https", "enable", name, "--certificate", chain, "--key", key,
                           "--origin", origin)  # fmt: skip
        self.stage.run("edge", "https", "set", PRESS, "--redirect", "to-https")

    @contextmanager
    def running(self) -> Iterator[None]:
        """The agent and nginx, until both domains are proven."""
        words = ("edge", "https", "apply", "--watch")
        self.stage.announce(words)
        agent = self.stage.start(words)
        folder = (self.home / "https" / "nginx").resolve()  # nginx looks below its prefix
        try:
            until("nginx.conf is written", (folder / "nginx.conf").exists)
            configuration = str(folder / "nginx.conf")
            command = [self.nginx, "-p", str(folder), "-c", configuration, "-g", "daemon off;"]
            with open(self.home / "nginx.err", "wb") as errors:
                self.served = subprocess.Popen(command, stderr=errors)
            yield
        finally:
            for process in (agent, self.served):
                if process is not None:
                    process.terminate()
                    process.wait(timeout=PATIENCE_SECONDS)

    def use(self, log: Path) -> None:
        """Three hours ago the shop was asked for: that log is read, counted and rated."""
        at = datetime.now(UTC) - timedelta(hours=3)
        line = {
            "time": f"{at.timestamp():.3f}", "host": SHOP, "scheme": "https",
            "protocol": "HTTP/2.0", "status": "200", "bytes_sent": "5000", "cache": "HIT",
        }  # fmt: skip
        lines = [json.dumps({**line, "id": str(number)}) for number in range(2000)]
        log.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.stage.run("edge", "import", str(log), "--format", "nginx", "--edge", "old",
                       "--region", "DE", "--through", datetime.now(UTC).isoformat())  # fmt: skip
        self.stage.run("metering", "run", "--drain")
        self.stage.run("billing", "rate")

    def curl(self, url: str, wanted: str) -> None:
        """Ask until the answer is the one that is on its way, and show it."""
        scheme, _, rest = url.partition("://")
        name, _, path = rest.partition("/")
        port = self.https if scheme == "https" else self.http
        roots = str(self.home / "uploads" / "root.pem")
        command = ["curl", "-si", "--cacert", roots, "--max-time", "10", "--resolve",
                   f"{name}:{port}:127.0.0.1", f"{scheme}://{name}:{port}/{path}"]  # fmt: skip
        answer = ""

        def asked() -> bool:
            nonlocal answer
            if self.served is not None and self.served.poll() is not None:
                said = (self.home / "nginx.err").read_text(errors="replace").strip()
                raise EdgetollError(f"nginx ended: {said}", "mend what it names, and play again")
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            answer = done.stdout
            return answer.partition("\n")[0].split()[1:2] == [wanted]

        until(f"{url} answers {wanted}", asked)
        shown = [line for line in answer.splitlines() if line.lower().startswith(("http/", "loc"))]
        print(self.stage.paint("2", f"$ curl -i {url}"), file=self.stage.out)
        for line in shown:
            print(f"  {line}", flush=True, file=self.stage.out)


class _Content(http.server.BaseHTTPRequestHandler):
    """The origin: it has one page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running_origin() -> Iterator[str]:
    """A web server on this machine that has the content; its URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Content)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def free_ports() -> tuple[int, int]:
    """Two ports that nobody listens on."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        return one.getsockname()[1], two.getsockname()[1]


def until(what: str, look: Callable[[], bool]) -> None:
    """Look until it is so; EdgetollError when it takes too long."""
    end = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not look():
        if time.monotonic() > end:
            raise EdgetollError(f"in vain: {what}", "this is a defect: please report it")
        pause.wait(0.1)


def certify(folder: Path, *names: str) -> None:
    """A test CA, root.pem, and for each name NAME.pem and NAME.key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.now(UTC)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edgetoll demo CA")])

    def signed(key: ec.EllipticCurvePrivateKey, name: str, days: int) -> bytes:
        is_ca = not name
        subject = [] if is_ca else [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        uses = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        made = (
            x509.CertificateBuilder()
            .subject_name(ca_name if is_ca else x509.Name(subject))
            .issuer_name(ca_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=True, key_cert_sign=is_ca, crl_sign=is_ca, **uses),
                critical=True,
            )
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
                critical=False,
            )
        )
        if not is_ca:
            server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
            alternative = x509.SubjectAlternativeName([x509.DNSName(name)])
            made = made.add_extension(alternative, critical=False)
            made = made.add_extension(server, critical=False)
        return made.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    (folder / "root.pem").write_bytes(signed(ca_key, "", 365))
    for name in names:
        key = ec.generate_private_key(ec.SECP256R1())
        (folder / f"{name}.pem").write_bytes(signed(key, name, 90))
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (folder / f"{name}.key").touch(mode=0o600)
        (folder / f"{name}.key").write_bytes(secret)
