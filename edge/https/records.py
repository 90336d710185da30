"""The nouns of HTTPS at an edge. A TLS certificate is always called so: an hour's certificate is
another thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from edge.https.upload.records import TlsCertificate

Redirect = Literal["off", "to-https", "to-http"]
TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]
TLS_VERSIONS: tuple[TlsVersion, ...] = ("1.0", "1.1", "1.2", "1.3")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsSettings:
    """What one domain is to be: kept even while its HTTPS is off, for its origin.

    `bundle` is the name of its file in the vault, blank while HTTPS is off. `hsts_seconds` 0: none.
    """

    domain: str
    origin: str = ""
    bundle: str = ""
    certificate: TlsCertificate | None = None
    redirect: Redirect = "off"
    redirect_status: Literal[301, 308] = 301
    http2: bool = True
    http3: bool = False
    tls_min: TlsVersion = "1.2"
    hsts_seconds: int = 0
    hsts_subdomains: bool = False
    changed_at: datetime | None = None

    @property
    def enabled(self) -> bool:
        """True while HTTPS is on: there is a certificate to serve it with."""
        return bool(self.bundle)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedName:
    """A name that this edge must refuse, and the names under it that it must not (wildcards)."""

    domain: str
    cause: str
    except_names: tuple[str, ...] = ()


def parent_of(domain: str) -> str:
    """The wildcard that covers `domain`: one label below it."""
    return f"*.{domain.partition('.')[2]}"


def stop_of(domain: str, stopped: Mapping[str, StoppedName]) -> StoppedName | None:
    """By which entry of the list `domain` is stopped: its own, else its wildcard's, unless that one
    names it as an exception. None: it is served.
    """
    if domain in stopped:
        return stopped[domain]
    above = stopped.get(parent_of(domain))
    return None if above is None or domain in above.except_names else above
