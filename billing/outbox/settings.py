"""Settings of delivery: the sub-table [billing.delivery] of edgetoll.toml.

[billing.delivery.file]
path = "outbox/events.jsonl"

[[billing.delivery.webhooks]]
name = "crm"
url = "https://crm.example/hooks/edgetoll"
key_files = ["secrets/crm.key"]       # two files while a key is rotated

[billing.delivery.mail]
host = "smtp.example"
sender = "billing@example.com"
operators = ["ops@example.com"]
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from billing.outbox.signing import Key, parse_key
from edge.configfile import section
from edge.errors import ConfigError


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookSettings(_Frozen):
    """One receiver."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    url: str
    key_files: list[Path] = Field(min_length=1, max_length=4)
    """One key; while it is rotated the new one and the old one: both sign."""
    accounts: list[str] = []
    """Only these accounts; empty: all."""
    allow_private: bool = False
    """The receiver stands in the operator's own network (http and private addresses allowed)."""


class MailSettings(_Frozen):
    """The mail server that takes messages, and who gets them."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str
    user: str | None = None
    password_file: Path | None = None
    to_customers: bool = True
    operators: list[str] = []


class FileSettings(_Frozen):
    """A file that gets one JSON line per event."""

    path: Path = Path("outbox/events.jsonl")


class StopListSettings(_Frozen):
    """Where the list of stopped domains goes."""

    folder: Path = Path("suspended")
    kafka: str | None = None
    """HOST:PORT of a broker; unset: only the file."""
    topic: str = "edgetoll.suspended.v1"


class DeliverySettings(_Frozen):
    """Everything about telling others."""

    webhooks: list[WebhookSettings] = []
    mail: MailSettings | None = None
    file: FileSettings | None = FileSettings()
    stop_list: StopListSettings = StopListSettings()
    daily_state_hour: int = Field(default=6, ge=0, le=23)
    """Hour (UTC) from which the daily message with all states that are not ok is due."""

    @model_validator(mode="after")
    def _names_are_single(self) -> DeliverySettings:
        names = [hook.name for hook in self.webhooks]
        if len(set(names)) != len(names):
            raise ValueError("two webhooks have the same name")
        return self


class _Billing(BaseModel):
    model_config = ConfigDict(extra="ignore")

    delivery: DeliverySettings = DeliverySettings()


def read_delivery(home: Path) -> DeliverySettings:
    """[billing.delivery] of HOME/edgetoll.toml and its environment; ConfigError names the key."""
    return section(home, "billing", _Billing).delivery


def read_keys(home: Path, files: list[Path]) -> tuple[Key, ...]:
    """The signing keys in `files` (relative to the home); refused when others may read them."""
    return tuple(parse_key(read_secret(home, file)) for file in files)


def read_secret(home: Path, file: Path) -> str:
    """The text of a secret file; ConfigError names the file, never its content."""
    path = home / file
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"secret file {path} cannot be read", "check its path") from error
    if mode & 0o077:
        raise ConfigError(f"secret file {path} can be read by others", f"chmod 600 {path}")
    if not text:
        raise ConfigError(f"secret file {path} is blank", "write the key into it")
    return text
