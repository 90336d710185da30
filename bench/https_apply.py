"""Many domains on one nginx: `python -m bench.https_apply 2000`.

Prints seconds of a whole apply, of one renewal to its proof, of one suspension to its proof, and
handshakes a second by name from maps beside those of one static server block of the same nginx
(the baseline). Needs nginx. The machine and the versions stand above the table.
"""

from __future__ import annotations

import os
import platform
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from edge.https.apply import apply
from edge.https.records import HttpsSettings
from edge.https.settings import read_settings
from edge.https.upload.certificate import describe
from edge.https.upload.records import Bundle
from edge.https.wishes import Wishes
from tests.edge.https.making import Ca, key_pem, pem
from tests.edge.https.world import Edge, free_ports, new_authorities, new_edge, running_origin

HANDSHAKES = 2000
STATIC = """
{user}
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{ listen 127.0.0.1:{port} ssl http2; server_name one.example;
        ssl_certificate {folder}/one.pem; ssl_certificate_key {folder}/one.pem;
        location / {{ return 200; }} }}
}}
"""


def bundle(ca: Ca, name: str) -> Bundle:
    """A certificate for `name`, as `enable` would store it."""
    leaf, key = ca.leaf(name, now=datetime.now(UTC))
    return Bundle(certificate=describe(leaf), pem=pem(leaf, ca.certificate) + key_pem(key))


def handshakes(port: int, names: list[str], count: int) -> float:
    """Full handshakes a second from one client, each with a name of its own turn."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    began = time.perf_counter()
    for number in range(count):
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname=names[number % len(names)]),
        ):
            pass
    return count / (time.perf_counter() - began)


def static_rate(folder: Path, pem_bytes: bytes) -> float:
    """The baseline: one name, one static certificate, the same nginx program."""
    (folder / "one.pem").write_bytes(pem_bytes)
    (port,) = free_ports(1)
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "static.conf"
    configuration.write_text(STATIC.format(user=user, folder=folder, port=port))
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    process = subprocess.Popen(["nginx", "-c", str(configuration)], env=environment)
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                threading.Event().wait(0.02)
        return handshakes(port, ["one.example"], HANDSHAKES)
    finally:
        process.terminate()
        process.wait(timeout=30)


def timed_apply(edge: Edge) -> tuple[float, float]:
    """Seconds and CPU seconds of one apply, its proof included."""
    began, used = time.perf_counter(), time.process_time()
    apply(edge.home, read_settings(edge.home), now=datetime.now(UTC))
    return time.perf_counter() - began, time.process_time() - used


def main(count: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place, running_origin() as origin:
        edge = new_edge(Path(place), new_authorities(), origin)
        wishes = Wishes(edge.home)
        names = [f"d{number}.example" for number in range(count)]
        at = datetime.now(UTC) - timedelta(seconds=1)
        for name in names:
            made = bundle(edge.middle, name)
            wishes.write(
                HttpsSettings(domain=name, origin=origin, bundle=wishes.keep(made),
                              certificate=made.certificate, changed_at=at)
            )  # fmt: skip
        rows = [("first apply, no nginx yet", timed_apply(edge))]
        edge.start()
        rows.append((f"apply and proof of {count} names", timed_apply(edge)))
        rows.append(("apply with nothing to do", timed_apply(edge)))
        made = bundle(edge.middle, names[7])
        old = wishes.known(names[7])
        wishes.write(
            HttpsSettings(domain=names[7], origin=origin, bundle=wishes.keep(made),
                          certificate=made.certificate, changed_at=datetime.now(UTC))
        )  # fmt: skip
        assert old.bundle != made
        rows.append(("one renewal to its proof", timed_apply(edge)))
        edge.stop_domains(names[3])
        rows.append(("one suspension to its proof", timed_apply(edge)))
        mapped = handshakes(edge.https, names, HANDSHAKES)
        edge.stop()
        fixed = static_rate(Path(place), bundle(edge.middle, "one.example").pem)
    version = subprocess.run(
        ["nginx", "-v"], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
    ).stderr.strip()  # fmt: skip
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
          f" {version}, {ssl.OPENSSL_VERSION}, {count} domains")  # fmt: skip
    print(f"  load average {os.getloadavg()[0]:.1f}")
    for what, (seconds, used) in rows:
        print(f"  {what:<36} {seconds:8.2f} s   {used:6.2f} CPU s")
    print(f"  {'handshakes a second, names by map':<36} {mapped:8.0f}")
    print(f"  {'handshakes a second, static block':<36} {fixed:8.0f}   ratio {mapped / fixed:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
