"""Where a webhook may go: HTTPS to a public address, resolved once and pinned (FAULTS H6).

What a URL says by itself is refused when the settings are read; a name is resolved when something
is sent, every address it has is judged, and the connection is made to the address that was judged:
a name that answers differently the next time (DNS rebinding) gains nothing. Public is what the
library's registries call global; an IPv6 address is as public as each IPv4 address inside it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urlsplit

from edge.domain import canonical_domain
from edge.errors import InputError

Resolver = Callable[[str, int], list[str]]
PORTS = {"https": 443, "http": 80}

# Global unicast, and the prefix by which a host with IPv6 alone reaches an IPv4 address.
_ALLOCATED = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# The same of one's own network: the IPv4 address stands at one of four places (RFC 6052, 8215).
_OWN_NAT64 = IPv6Network("64:ff9b:1::/48")
# Prefixes before an IPv4 address in the last 32 bits: compatible, mapped, translated, NAT64.
_BEFORE_IPV4 = tuple(
    IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
# Not public, though the registry of this Python version does not say so yet.
_SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "5f00::/16", "fec0::/10")
)
# What a cloud tells its own machines, keys included: nothing else answers there. Those that are
# link-local are not listed. 168.63.129.16 is public by its number and Azure's by its use; below
# fd00:ec2:: stand Amazon's metadata, pod identities (::23), names and time.
_METADATA = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::/32", "fd20:ce::254",
        "fd00:42::42", "fd00:c1::a9fe:a9fe", "fd00:a9fe:a9fe::1", "fd00:100::100:200",
    )
)  # fmt: skip
_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)\Z")


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
        literal = f"[{self.host}]" if ":" in self.host else self.host
        usual = PORTS[self.scheme] == self.port
        return literal if usual else f"{literal}:{self.port}"


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host`, as the system's resolver gives them."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def judge(url: str, *, allow_private: bool, resolver: Resolver = resolve) -> Target:
    """The pinned target of `url`; InputError says why it may not be used.

    `allow_private`: the operator's explicit word that this endpoint stands in their own network;
    only then are plain HTTP and private addresses allowed. Link-local and metadata never are.
    """
    parts, host, port = check_url(url, allow_private=allow_private)
    try:
        addresses = resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise InputError(f"{host} cannot be resolved: {error}", "check the name") from error
    if not addresses:
        raise InputError(f"{host} has no address", "check the name")
    for address in addresses:
        _refuse(host, ipaddress.ip_address(address.partition("%")[0]), allow_private)
    path = parts.path or "/"
    return Target(
        scheme=parts.scheme,
        host=host,
        port=port,
        address=addresses[0],
        path=f"{path}?{parts.query}" if parts.query else path,
    )


def check_url(url: str, *, allow_private: bool) -> tuple[SplitResult, str, int]:
    """`url` in its parts, its host and its port, judged as far as that goes without asking DNS.

    The URL may hold a token: no message repeats more of it than its host.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InputError(
            "the webhook's URL holds a character that no URL has",
            "write a name in other letters as its A-label (xn--…), the rest with %XX",
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError("the webhook's URL has no port from 1 to 65535, or no host",
                         "give a full https URL") from error  # fmt: skip
    host = (parts.hostname or "").removesuffix(".")
    if "[" in parts.netloc and ":" not in host:
        raise InputError("the webhook's URL has no address in its brackets", "write the name bare")
    if parts.scheme not in PORTS or not host:
        raise InputError("the webhook's URL is not an https URL", "give a full https URL")
    if "@" in parts.netloc:
        raise InputError("a webhook URL may not hold a password", "the signature proves who sends")
    if port == 0:
        raise InputError(f"{host} is given port 0", "give a port from 1 to 65535")
    if parts.scheme == "http" and not allow_private:
        raise InputError(
            f"{host} is not reached by https",
            "use https; plain http needs allow_private = true (a receiver in your own network)",
        )
    literal = _literal(host)
    if literal is not None:
        _refuse(host, literal, allow_private)
    return parts, host, PORTS[parts.scheme] if port is None else port


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` is, None where it is a name; InputError where it is neither."""
    if host == "localhost" or host.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass  # a name, or nothing
    if _NUMBER.match(host.rpartition(".")[2]):
        raise InputError(
            f"{host} is a number and no name",
            "write an address as four decimal numbers (192.0.2.1)",
        )
    if canonical_domain(host) is None:
        raise InputError(f"{host} is no host name", "check the name")
    return None


def _refuse(host: str, address: IPv4Address | IPv6Address, allow_private: bool) -> None:
    """InputError where nothing may be sent to `address`, or to an address inside it."""
    reserved = isinstance(address, IPv4Address) and address.is_reserved
    no_host = address.is_multicast or address.is_unspecified or reserved
    if no_host or any(_is_metadata(one) for one in (address, *embedded(address))):
        raise InputError(
            f"{host} is at {address}, which is not a public address",
            "nobody may be told anything there: it is link-local, a cloud's metadata service"
            " or no single host",
        )
    if not allow_private and not is_public(address):
        raise InputError(
            f"{host} is at {address}, which is not a public address",
            "an endpoint in your own network needs allow_private = true",
        )


def _is_metadata(one: IPv4Address | IPv6Address) -> bool:
    """Whether a cloud may answer here with keys: not even the operator's word opens it."""
    return one.is_link_local or any(one.version == net.version and one in net for net in _METADATA)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the whole Internet has this address, and each IPv4 address inside it."""
    if any(address.version == net.version and address in net for net in _SPECIAL):
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    carries = address in _NAT64 or address.ipv4_mapped is not None
    within = (address in _ALLOCATED and address.is_global) or carries
    return within and all(is_public(inner) for inner in embedded(address))


def embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that packets to an IPv6 address may end at, however it carries them."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    last = IPv4Address(number & 0xFFFF_FFFF)
    own_word = number in (0, 1)  # :: and ::1 carry no IPv4 address
    isatap = (number >> 32) & 0xFFFF_FFFF in _ISATAP
    if isatap or (not own_word and any(address in net for net in _BEFORE_IPV4)):
        yield last
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _OWN_NAT64:
        yield from _by_rfc_6052(number)


def _by_rfc_6052(number: int) -> Iterator[IPv4Address]:
    """The IPv4 address behind a prefix of 48, 56, 64 or 96 bits; bits 64 to 71 are passed over."""
    packed = number.to_bytes(16, "big")
    without_gap = packed[:8] + packed[9:]
    found = [without_gap[begin : begin + 4] for begin in (6, 7, 8)]
    for one in (*found, packed[12:]):
        if any(one):  # all zeros: the address stands at another of the four places
            yield IPv4Address(one)
