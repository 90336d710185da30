"""`[billing.readers.NAME]` of edgetoll.toml: the hash of a token, and whose rows it may see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints

from edge.configfile import section

ReaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class ReaderSettings(BaseModel):
    """One token. Only its SHA-256 is kept: whoever reads the settings cannot use it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of a token of 256 random bits: no salt or slow hash would make it harder to guess."""
    account: str | None = Field(default=None, min_length=1)
    """The one account whose rows it may see; none: all rows."""


class ReadersSection(RootModel[dict[ReaderName, ReaderSettings]]):
    """[billing.readers]: the tokens by the names of who holds them."""


def read_readers(home: Path) -> dict[ReaderName, ReaderSettings]:
    """[billing.readers] of HOME/edgetoll.toml, by name; ConfigError names the key."""
    return section(home, "billing.readers", ReadersSection).root
