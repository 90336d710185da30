"""How to reach a Kafka: addresses, topic, TLS, SASL, as configuration.

Shared with metering, as edge/kafkatopic.py is (decision 0401). Both sides read it as a
sub-table of their own section, `[edge.kafka]` and `[metering.kafka]`.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from edge.errors import ConfigError

TOPIC = "edgetoll.requests.v1"


class KafkaLink(BaseModel):
    """The connection, in words that aiokafka understands. Defaults: no TLS, this machine."""

    model_config = ConfigDict(extra="forbid")
    bootstrap: str = "127.0.0.1:9092"
    """One or more HOST:PORT, separated by commas."""
    topic: str = Field(default=TOPIC, pattern=r"^[A-Za-z0-9._-]{1,249}$")
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

    def client_options(self) -> dict[str, Any]:
        """Arguments that every aiokafka client takes. ConfigError names what cannot be read."""
        options: dict[str, Any] = {
            "bootstrap_servers": [server.strip() for server in self.bootstrap.split(",")],
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
