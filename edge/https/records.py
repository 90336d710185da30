"""The nouns of HTTPS at an edge. A TLS certificate is always called so: an hour's certificate is
another thing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Redirect = Literal["off", "to-https", "to-http"]
TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]
TLS_VERSIONS: tuple[TlsVersion, ...] = ("1.0", "1.1", "1.2", "1.3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found in an upload. `refuses`: the upload cannot be used; else it is only said.

    `sentence` is what is wrong, `mend` what to do about it, with the command where there is one.
    Neither ever holds bytes of a key.
    """

    id: str
    sentence: str
    mend: str = ""
    refuses: bool = True

    def document(self) -> dict[str, object]:
        """The finding as `--json` shows it."""
        return {
            "id": self.id,
            "refuses": self.refuses,
            "sentence": self.sentence,
            "mend": self.mend,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsCertificate:
    """What may be shown of a leaf certificate."""

    sha256: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key_type: str

    def document(self) -> dict[str, object]:
        """The certificate as `--json` shows it."""
        return {
            "sha256": self.sha256,
            "subject": self.subject,
            "issuer": self.issuer,
            "names": list(self.names),
            "not_before": self.not_before,
            "not_after": self.not_after,
            "key_type": self.key_type,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What an edge serves a name with: leaf, chain and key, written anew in nginx's order.

    `pem` holds the private key: it is written to the vault and to nothing else.
    """

    certificate: TlsCertificate
    pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The answer about an upload: `bundle` is there when nothing found refuses it."""

    findings: tuple[Finding, ...]
    bundle: Bundle | None = None

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """What stands in the way, in the order found."""
        return tuple(one for one in self.findings if one.refuses)


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
