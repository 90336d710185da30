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

from email.utils import getaddresses
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from billing.outbox.address import check_url
from billing.outbox.signing import Key, parse_key
from billing.text_rules import check_email
from edge.configfile import section
from edge.errors import ConfigError, InputError
from edge.kafka.link import KafkaAccess

MAIL, FILE, HOOK = "mail", "file", "webhook:"
"""What endpoints are called: these, and a webhook by its name after HOOK."""
Language = Literal["en", "de", "fr", "es", "zh", "ja", "ar"]


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

    @model_validator(mode="after")
    def _may_be_called(self) -> WebhookSettings:
        # The text of the URL may hold a token: it is never part of a message.
        try:
            check_url(self.url, allow_private=self.allow_private)
        except InputError as error:
            raise ValueError(f"{error.message}: {error.hint}") from error
        return self


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
    language: Language = "en"
    """Of mails to accounts whose country has none of these, and to operators."""
    languages: dict[str, Language] = {}
    """Of single accounts, by their id."""

    @field_validator("operators")
    @classmethod
    def _each_is_one_address(cls, operators: list[str]) -> list[str]:
        return [check_email(address) for address in operators]

    @field_validator("sender")
    @classmethod
    def _is_one_address(cls, sender: str) -> str:
        found = getaddresses([sender])
        if len(found) != 1 or not found[0][1] or not sender.isprintable():
            raise ValueError("write the sender as name@example.com or Name <name@example.com>")
        check_email(found[0][1])
        return sender

    @model_validator(mode="after")
    def _password_is_safe(self) -> MailSettings:
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file belong together")
        local = self.host in ("localhost", "127.0.0.1", "::1")
        if self.password_file is not None and self.security == "none" and not local:
            raise ValueError('a password is not sent without TLS: security = "starttls" or "tls"')
        return self


class FileSettings(_Frozen):
    """A file that gets one JSON line per event."""

    path: Path = Path("outbox/events.jsonl")


class StopListSettings(KafkaAccess):
    """Where the list of stopped domains goes; the keys of KafkaAccess say how to reach the broker.

    The broker's files and its password stand where [edge.kafka] has them too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Path("suspended")
    kafka: str | None = None
    """HOST:PORT of a broker, or several with commas; unset: only the file."""
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


def read_delivery(home: Path) -> DeliverySettings:
    """[billing.delivery] of HOME/edgetoll.toml and its environment; ConfigError names the key."""
    return section(home, "billing.delivery", DeliverySettings)


def check_secrets(home: Path) -> None:
    """Read every secret once, when a daemon starts; ConfigError names whose, and the file."""
    settings = read_delivery(home)
    for hook in settings.webhooks:
        read_keys(home, hook.key_files, of=f"webhook {hook.name}")
    if settings.mail is not None:
        mail_password(home, settings.mail)
    if settings.stop_list.kafka is not None:
        settings.stop_list.below(home).options_for(settings.stop_list.kafka)


def mail_password(home: Path, settings: MailSettings) -> str | None:
    """The password of the mail server, where one is set."""
    if settings.password_file is None:
        return None
    return read_secret(home, settings.password_file, of="mail")


def read_keys(home: Path, files: list[Path], *, of: str) -> tuple[Key, ...]:
    """The signing keys in `files` (relative to the home); refused when others may read them."""
    keys = []
    for file in files:
        try:
            keys.append(parse_key(read_secret(home, file, of=of)))
        except ConfigError as error:
            if error.message.startswith(of):
                raise
            raise ConfigError(
                f"{of}, {home.joinpath(file)}: {error.message}", error.hint
            ) from error
    return tuple(keys)


def read_secret(home: Path, file: Path, *, of: str) -> str:
    """The text of a secret file; ConfigError names the file, never its content."""
    path = home.joinpath(file)
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{of}: secret file {path} cannot be read", "check its path") from error
    if mode & 0o077:
        raise ConfigError(
            f"{of}: secret file {path} can be read by others ({mode & 0o777:o})",
            f"chmod 600 {path}",
        )
    if not text:
        raise ConfigError(f"{of}: secret file {path} is blank", "write the key into it")
    return text
