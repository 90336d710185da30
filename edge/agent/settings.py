"""Settings of the agent: section `[edge]` of edgetoll.toml, overridden by options."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from edge.batch.signature import EdgeKey, load_key
from edge.configfile import CONFIG_NAME, section
from edge.errors import ConfigError
from edge.https.settings import HttpsEdge
from edge.kafka.link import KafkaLink


class LogSettings(BaseModel):
    """One log to follow: the name the web server writes to, and its format."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    format: str = "nginx"
    """A format by name, or a mapping file."""
    log_format: str = ""
    """The server's own format string instead of it, or FILE:NAME."""
    scheme: str = ""
    host: str = ""
    zone: str = ""
    """What is true of all lines, where the log does not say it."""
    rotated: tuple[str, ...] = ()
    """Patterns of where rotation puts its files, if not beside the log (logrotate's olddir)."""


class EdgeSettings(BaseModel):
    """What `edge tail` needs; `kafka` is for `edge ship`.

    `log_buffer_seconds` is the longest time the web server may hold a line back (`flush=` of
    nginx): the promise stays that far behind the clock. `promise` False: make none, since the lines
    have older times than the clock (old logs being replayed).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    edge_id: str = ""
    region: str = ""
    logs: tuple[LogSettings, ...] = ()
    start_from: Literal["beginning", "end"] | None = None
    log_buffer_seconds: float = Field(default=5, ge=0, le=3600)
    heartbeat_seconds: float = Field(default=10, gt=0, le=600)
    poll_seconds: float = Field(default=0.2, gt=0, le=60)
    promise: bool = True
    allow_refused: bool = False
    """Promise though a tenth of a log's lines or more cannot be read."""
    drop_repeated: bool = False
    """Refuse a line whose request id was seen shortly before: a server that logs each twice."""
    https: HttpsEdge = Field(default_factory=HttpsEdge)
    kafka: KafkaLink = Field(default_factory=KafkaLink)
    key_file: str = ""
    """Ed25519 private key (PEM) that signs every batch; relative to the home. Blank: no signing."""

    def signer(self, home: Path) -> EdgeKey | None:
        """The key to sign with; raises ConfigError when it is named and cannot be used."""
        return load_key(home / self.key_file) if self.key_file else None


def load(home: Path) -> EdgeSettings:
    """Section `[edge]` of the home's settings; the defaults where there is no settings file."""
    if not (home / CONFIG_NAME).exists():
        return EdgeSettings()
    return section(home, "edge", EdgeSettings)


def complete(settings: EdgeSettings) -> EdgeSettings:
    """`settings` again, or ConfigError naming what is missing."""
    missing = [
        name
        for name, value in (
            ("edge_id (--edge)", settings.edge_id),
            ("region (--region)", settings.region),
            ("logs (--log)", settings.logs),
        )
        if not value
    ]
    if missing:
        raise ConfigError(
            f"the agent does not know {', '.join(missing)}",
            f"give the options, or set them in [edge] of {CONFIG_NAME}",
        )
    return settings
