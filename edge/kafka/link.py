"""How to reach a Kafka: addresses, topic, TLS, SASL, as configuration.

Shared with metering and billing, as topic.py is with metering (decision 0401). Each reads
it as a sub-table of its own section: `[edge.kafka]`, `[metering.kafka]`, and billing's stop list.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from edge.errors import ConfigError

TOPIC = "edgetoll.requests.v1"


class _Overheard(logging.Handler):
    """What aiokafka only logs: why the last attempt to connect failed."""

    reason = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error of a connection attempt, forget everything else."""
        if str(record.msg).startswith("Unable connect to") and isinstance(record.args, tuple):
            self.reason = _line(record.args[-1])


_overheard = _Overheard(logging.ERROR)


def hush() -> None:
    """From now on aiokafka logs nothing: it is said once and in our words (see `why`)."""
    logger = logging.getLogger("aiokafka")
    logger.handlers, logger.propagate = [_overheard], False
    logger.setLevel(logging.ERROR)


def why(error: BaseException) -> str:
    """What went wrong, in one line; of a broker that lets nobody in, why (after `hush`)."""
    text = _line(error)
    if "Unable to bootstrap" in text and _overheard.reason:
        return _overheard.reason
    return text


def _line(error: object) -> str:
    """An error's name and text, the name once."""
    name, text = type(error).__name__, " ".join(str(error).split())
    if not text:
        return name
    ours = type(error) is LookupError  # the topic is not there: said in our words already
    return text if ours or name in text else f"{name}: {text}"


class KafkaAccess(BaseModel):
    """How to prove who we are and whom we believe. Defaults: no TLS. Files relative to the home."""

    model_config = ConfigDict(extra="forbid")
    security: Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"] = "PLAINTEXT"
    ca_file: Path | None = None
    """PEM of who signed the brokers' certificates; without it the system's authorities."""
    certificate_file: Path | None = None
    """PEM of our own certificate (mTLS); `key_file` beside it unless the file holds both."""
    key_file: Path | None = None
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    """Better than `password`: a file that only this user can read."""
    request_timeout_seconds: float = Field(default=30, gt=0)

    def below(self, home: Path) -> Self:
        """The same, its relative paths found in `home`."""
        names = ("ca_file", "certificate_file", "key_file", "password_file")
        files = {name: getattr(self, name) for name in names}
        found = {name: home / file for name, file in files.items() if file is not None}
        return self.model_copy(update=found)

    def options_for(self, bootstrap: str) -> dict[str, object]:
        """Arguments that every aiokafka client takes, to reach `bootstrap` (HOST:PORT, or several
        with commas). ConfigError names what cannot be read.
        """
        options: dict[str, object] = {
            "bootstrap_servers": [server.strip() for server in bootstrap.split(",")],
            "security_protocol": self.security,
            "request_timeout_ms": round(self.request_timeout_seconds * 1000),
            "retry_backoff_ms": 100,
            "metadata_max_age_ms": 60_000,
        }
        if self.security in ("SSL", "SASL_SSL"):
            options["ssl_context"] = self._ssl_context()
        if self.security.startswith("SASL"):
            if not self.username:
                raise ConfigError("SASL needs a username", "set `username` beside `security`")
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self._password()
        return options

    def _ssl_context(self) -> ssl.SSLContext:
        """Names and chains are always checked; there is no switch to turn that off."""
        try:
            context = ssl.create_default_context(
                cafile=None if self.ca_file is None else str(self.ca_file)
            )
            if self.certificate_file is not None:
                key = None if self.key_file is None else str(self.key_file)
                context.load_cert_chain(str(self.certificate_file), key)
        except (OSError, ssl.SSLError) as error:
            files = (self.ca_file, self.certificate_file, self.key_file)
            named = ", ".join(str(file) for file in files if file is not None)
            raise ConfigError(
                f"TLS files cannot be used ({named}): {error}",
                "check ca_file, certificate_file and key_file: PEM, readable by this user",
            ) from error
        return context

    def _password(self) -> str:
        if self.password_file is not None:
            try:
                return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
            except OSError as error:
                raise ConfigError(
                    f"{self.password_file} cannot be read: {error.strerror}", "check password_file"
                ) from error
        if self.password is None:
            raise ConfigError("SASL needs a password", "set `password_file` (or `password`)")
        return self.password.get_secret_value()


class KafkaLink(KafkaAccess):
    """The connection to the topic of batches. Defaults: this machine."""

    bootstrap: str = "127.0.0.1:9092"
    """One or more HOST:PORT, separated by commas."""
    topic: str = Field(default=TOPIC, pattern=r"^[A-Za-z0-9._-]{1,249}$")

    def client_options(self) -> dict[str, object]:
        """Arguments that every aiokafka client takes. ConfigError names what cannot be read."""
        return self.options_for(self.bootstrap)
