"""Tokens for reading: made once, kept as a hash, compared without telling how near a guess is."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from billing.readers.settings import ReaderName, ReaderSettings, read_readers
from edge.configfile import CONFIG_NAME
from edge.errors import InputError

TOKEN_BYTES = 32
PREFIX = "edgetoll_"
"""So that a token that leaked is found by those who look for such."""
LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReader:
    """Who reads. `account`: sees its rows and no others; None: sees all of the home."""

    name: str
    account: str | None = None
    sha256: str = ""


def written(random_bytes: bytes) -> str:
    """The token made of 32 random bytes."""
    return PREFIX + random_bytes.hex()


def hash_of(token: str) -> str:
    """What the settings keep of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class TokenBook:
    """The tokens of a home as its settings have them now: one that is taken out ends at once."""

    def __init__(self, home: Path) -> None:
        self._path = home.joinpath(CONFIG_NAME)
        self._home = home
        self._seen: tuple[int, int] | None = None
        self._readers: tuple[TokenReader, ...] = ()

    def readers(self) -> tuple[TokenReader, ...]:
        """All readers that have a token. ConfigError when the settings cannot be read."""
        state = self._path.stat() if self._path.exists() else None
        seen = (state.st_mtime_ns, state.st_size) if state else None
        if seen is None or seen != self._seen:
            found: dict[str, ReaderSettings] = read_readers(self._home) if state else {}
            self._readers = tuple(
                TokenReader(name=name, account=one.account, sha256=one.token_sha256)
                for name, one in sorted(found.items())
            )
            self._seen = seen
        return self._readers

    def find(self, token: str) -> TokenReader | None:
        """Whose token it is; None: nobody's. All are compared, each in the same time."""
        given = hash_of(token[:LONGEST])
        found = [one for one in self.readers() if hmac.compare_digest(one.sha256, given)]
        return found[0] if found else None

    def still_there(self, reader: TokenReader) -> bool:
        """Whether a reader who came in before may still read."""
        return reader in self.readers()


def checked_name(name: str) -> str:
    """`name` itself if a reader may be called so; else InputError."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(ReaderName).validate_python(name)
    except ValidationError as error:
        raise InputError(f"«{name}» is no name of a reader", "letters, digits, . _ -") from error
