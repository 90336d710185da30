"""The sections [billing] and [invoices] whole: a key that nobody reads is refused, wherever it is.

Each part of billing reads its own table. Read one by one they could not tell a table of another
part from a misspelt one, and a misspelt `breaker_caps` would be a cap that is off. So whoever opens
the store has all of it checked first.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from billing.balance.settings import BalanceSettings
from billing.invoices.settings import InvoiceSettings
from billing.outbox.settings import DeliverySettings
from billing.prune.settings import PruneSettings
from billing.readers.settings import ReaderName, ReaderSettings
from billing.runs.settings import RunSettings
from billing.store.settings import StoreSettings
from edge.configfile import CONFIG_NAME, section


class DaemonSettings(BaseModel):
    """How often the daemon looks, and where it serves its metrics."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wake_seconds: int = Field(default=5, ge=1, le=3600)
    """How often the loop asks whether anything may be due."""
    judge_minutes: int = Field(default=10, ge=1, le=60)
    """All states are judged at least this often, even if nothing else happened."""
    listen: str = Field(default="127.0.0.1:9464", pattern=r"^[0-9a-zA-Z.\-]+:\d{1,5}$")
    """HOST:PORT of /metrics, /healthz and /readyz."""
    check_hour: int = Field(default=3, ge=0, le=23)
    """Hour (UTC) from which the nightly run of every check is due."""
    invoices: bool | None = None
    """Whether it issues. Not said: what `[invoices.close]` lets pass; `true`: without that gate."""
    prune: bool = False
    """Whether it prunes after the nightly checks, if they are green; else it says what it would."""

    @field_validator("listen")
    @classmethod
    def _has_a_port(cls, listen: str) -> str:
        if int(listen.rpartition(":")[2]) > 65_535:
            raise ValueError("the port is above 65535")
        return listen


class ConsoleSettings(BaseModel):
    """Where the console is served."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = Field(default="127.0.0.1:9465", pattern=r"^[0-9a-zA-Z.\-]+:\d{1,5}$")
    """HOST:PORT. Leave it on this machine: TLS is a reverse proxy's (docs/console.md)."""
    hosts: tuple[str, ...] = ()
    """By which names it may be asked for besides its own address: those of the reverse proxy."""


class SqlSettings(BaseModel):
    """What `edgetoll sql --serve` answers with, and runs, at most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int = Field(default=1_000_000, ge=1)
    """Rows of one answer; more are an error, never a part."""
    megabytes: int = Field(default=256, ge=1)
    """Size of one answer."""
    at_once: int = Field(default=4, ge=1, le=64)
    """Queries of all readers that run at once."""
    at_once_each: int = Field(default=2, ge=1, le=64)
    """Queries of one reader that run at once."""


class BillingSection(RunSettings, StoreSettings):
    """[billing]: the keys of runs and store, and a table of each other part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    balance: BalanceSettings = BalanceSettings()
    daemon: DaemonSettings = DaemonSettings()
    delivery: DeliverySettings = DeliverySettings()
    console: ConsoleSettings = ConsoleSettings()
    prune: PruneSettings = PruneSettings()
    sql: SqlSettings = SqlSettings()
    readers: dict[ReaderName, ReaderSettings] = Field(default_factory=dict)


def check_settings(home: Path) -> None:
    """Read both sections; ConfigError names file, line and key of the first that is wrong.

    A home without a settings file has the defaults here; a command that needs one says so itself.
    """
    if home.joinpath(CONFIG_NAME).exists():
        section(home, "billing", BillingSection)
        section(home, "invoices", InvoiceSettings)


def read_daemon(home: Path) -> DaemonSettings:
    """[billing.daemon] of HOME/edgetoll.toml and its environment; ConfigError names the key."""
    return section(home, "billing.daemon", DaemonSettings)


def read_console(home: Path) -> ConsoleSettings:
    """[billing.console] of HOME/edgetoll.toml and its environment; ConfigError names the key."""
    return section(home, "billing.console", ConsoleSettings)


def read_sql(home: Path) -> SqlSettings:
    """[billing.sql] of HOME/edgetoll.toml and its environment; ConfigError names the key."""
    return section(home, "billing.sql", SqlSettings)
