"""Who is trusted: the pinned roots of certifi, and an operator's own where a file names them.

cryptography calls `x509.verification` unstable: this file alone uses it. certifi is pinned, so that
the same upload gets the same answer on each host.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509 import verification

from edge.errors import ConfigError


class Roots:
    """The trusted roots of this edge."""

    def __init__(self, own: Path | None = None) -> None:
        import certifi

        roots = _read(Path(certifi.where()))
        if own is not None:
            roots += _read(own)
        self._known = set(roots)
        self._store = verification.Store(roots)

    def problem(
        self, leaf: x509.Certificate, chain: Sequence[x509.Certificate], name: str, now: datetime
    ) -> str | None:
        """None when the chain leads from `leaf` to a trusted root for `name` at `now`; else why
        not, in cryptography's words.
        """
        policy = verification.PolicyBuilder().store(self._store).time(now)
        try:
            verifier = policy.build_server_verifier(x509.DNSName(name))
            verifier.verify(leaf, list(chain))
        except (verification.VerificationError, ValueError) as error:
            return str(error).split("(")[0].strip() or "the signatures do not hold"
        return None

    def is_root(self, certificate: x509.Certificate) -> bool:
        """True for one of the trusted roots themselves."""
        return certificate in self._known


def _read(path: Path) -> list[x509.Certificate]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", "check roots_file") from error
    except ValueError as error:
        raise ConfigError(f"{path} holds no PEM certificates", "check roots_file") from error


class Suffixes:
    """The public suffix list that the package publicsuffixlist carries, pinned as it is."""

    def __init__(self) -> None:
        from publicsuffixlist import PublicSuffixList

        self._list = PublicSuffixList()

    def is_public(self, name: str) -> bool:
        """True when anybody may register a domain below `name`."""
        return self._list.publicsuffix(name) == name
