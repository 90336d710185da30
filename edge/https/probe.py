"""What this edge really serves: asked over the loopback, by handshakes, which are no requests and
so are counted and billed to nobody.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from typing import Literal

from edge.https.nginx_config import GENERATION_PATH

REFUSED: Literal["refused"] = "refused"
"""The handshake was refused: no HTTPS is served under that name."""


def served_leaf(address: str, port: int, name: str, *, timeout: float = 5) -> str:
    """SHA-256 of the certificate that a handshake for `name` gets; REFUSED when it gets none.

    Raises OSError when nothing listens.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # whom to trust was decided before it was stored
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with socket.create_connection((address, port), timeout=timeout) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name) as secure:
                leaf = secure.getpeercert(binary_form=True)
        except (ssl.SSLError, ConnectionResetError):
            return REFUSED
    return hashlib.sha256(leaf or b"").hexdigest()


def running_generation(address: str, port: int, *, timeout: float = 5) -> str:
    """Which configuration the worker that answers has; blank when it is not ours.

    Raises OSError when nothing listens.
    """
    ask = f"GET {GENERATION_PATH} HTTP/1.0\r\nHost: edgetoll-probe.invalid\r\n\r\n"
    with socket.create_connection((address, port), timeout=timeout) as plain:
        plain.settimeout(timeout)
        plain.sendall(ask.encode())
        answer = b""
        while block := plain.recv(4096):
            answer += block
            if len(answer) > 65_536:
                break
    head, _, body = answer.partition(b"\r\n\r\n")
    return body.decode("latin-1").strip() if b" 200 " in head.split(b"\r\n")[0] else ""
