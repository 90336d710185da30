"""The nouns of an upload. A TLS certificate is always called so: an hour's certificate is another
thing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFinding:
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

    findings: tuple[UploadFinding, ...]
    bundle: Bundle | None = None

    @property
    def refusals(self) -> tuple[UploadFinding, ...]:
        """What stands in the way, in the order found."""
        return tuple(one for one in self.findings if one.refuses)
