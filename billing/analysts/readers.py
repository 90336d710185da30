"""Who may ask over the network: readers with a token each, and how much they may take.

    [billing.sql.readers.finance]
    token_sha256 = "…"          # edgetoll sql --new-token makes both
    [billing.sql.readers.northwind]
    token_sha256 = "…"
    account = "northwind"       # sees this account's rows and no others

A token is 256 random bits, so that its hash is enough to keep: the settings hold no secret.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from edge.configfile import section

PREFIX = "edgetoll_sql_"
_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class ReaderSettings(BaseModel):
    """A reader: the SHA-256 of its token, and the account whose rows alone it sees."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    account: str | None = Field(default=None, min_length=1)


class SqlSettings(BaseModel):
    """[billing.sql]: what `edgetoll sql --serve` allows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    readers: dict[str, ReaderSettings] = {}
    rows: int = Field(default=1_000_000, ge=1)
    """Rows of one answer; more are an error, never a part."""
    megabytes: int = Field(default=256, ge=1)
    """Size of one answer."""
    at_once: int = Field(default=4, ge=1, le=64)
    """Queries of all readers that run at once."""
    at_once_each: int = Field(default=2, ge=1, le=64)
    """Queries of one reader that run at once."""

    @field_validator("readers")
    @classmethod
    def _are_readers(cls, readers: dict[str, ReaderSettings]) -> dict[str, ReaderSettings]:
        hashes = [one.token_sha256 for one in readers.values()]
        if len(set(hashes)) < len(hashes):
            raise ValueError("two readers have the same token")
        for name in readers:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no reader's name: letters, digits, . _ -")
        return readers


def read_settings(home: Path) -> SqlSettings:
    """[billing.sql] of HOME/edgetoll.toml and its environment; ConfigError names the key."""
    return section(home, "billing.sql", SqlSettings)


def new_token() -> tuple[str, str]:
    """A token, to be handed to its reader and kept nowhere, and its SHA-256 for the settings."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, _hashed(token)


def reader_of(settings: SqlSettings, token: str) -> str | None:
    """The name of the reader whose token it is, None: nobody's."""
    if not _TOKEN.fullmatch(token):
        return None
    found = None
    hashed = _hashed(token)
    for name, one in settings.readers.items():
        if hmac.compare_digest(one.token_sha256, hashed):
            found = name
    return found


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("ascii")).hexdigest()
