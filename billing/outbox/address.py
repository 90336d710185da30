"""Where a webhook may go: HTTPS to a public address, resolved once and pinned (FAULTS H6).

A name is resolved here, every address it has is judged, and the connection is made to the address
that was judged: a name that answers differently the next time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from edge.errors import InputError

Resolver = Callable[[str, int], list[str]]
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A judged place: connect to `address`, speak to `host`."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def pinned_url(self) -> str:
        """The URL with the judged address in the place of the name."""
        literal = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{literal}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        """The name as the receiver knows itself."""
        usual = PORTS[self.scheme] == self.port
        return self.host if usual else f"{self.host}:{self.port}"


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host`, as the system's resolver gives them."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def judge(url: str, *, allow_private: bool, resolver: Resolver = resolve) -> Target:
    """The pinned target of `url`; InputError says why it may not be used.

    `allow_private`: the operator's explicit word that this endpoint stands in their own network;
    only then are plain HTTP and private addresses allowed. Link-local (cloud metadata) never is.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in PORTS or not host:
        raise InputError("the webhook's URL is not an https URL", "give a full https URL")
    if parts.username is not None or parts.password is not None:
        raise InputError("a webhook URL may not hold a password", "the signature proves who sends")
    if parts.scheme == "http" and not allow_private:
        raise InputError(f"{host} is not reached by https", "use https")
    port = parts.port or PORTS[parts.scheme]
    try:
        addresses = resolver(host, port)
    except OSError as error:
        raise InputError(f"{host} cannot be resolved: {error}", "check the name") from error
    if not addresses:
        raise InputError(f"{host} has no address", "check the name")
    for address in addresses:
        _refuse(host, address, allow_private)
    path = parts.path or "/"
    return Target(
        scheme=parts.scheme,
        host=host,
        port=port,
        address=addresses[0],
        path=f"{path}?{parts.query}" if parts.query else path,
    )


def _refuse(host: str, address: str, allow_private: bool) -> None:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        ip = inner if inner is not None else ip
    forbidden = ip.is_link_local or ip.is_multicast or ip.is_unspecified
    if forbidden or (not ip.is_global and not allow_private):
        raise InputError(
            f"{host} is at {address}, which is not a public address",
            "an endpoint in your own network needs allow_private = true",
        )
