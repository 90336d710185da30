"""Settings of the daemon: the sub-table [billing.daemon] of edgetoll.toml."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from edge.configfile import section


class DaemonSettings(BaseModel):
    """How often the daemon looks, and where it serves its metrics."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wake_seconds: int = Field(default=5, ge=1, le=3600)
    """How often the loop asks whether anything may be due."""
    judge_minutes: int = Field(default=10, ge=1, le=60)
    """All states are judged at least this often, even if nothing else happened."""
    listen: str = Field(default="127.0.0.1:9464", pattern=r"^[0-9a-zA-Z.\-]+:\d{1,5}$")
    """HOST:PORT of /metrics and /healthz."""
    check_hour: int = Field(default=3, ge=0, le=23)
    """Hour (UTC) from which the nightly run of every check is due."""
    invoices: bool = True
    """Issue a month's invoices as soon as its hours are closed and rated."""


class _Billing(BaseModel):
    model_config = ConfigDict(extra="ignore")

    daemon: DaemonSettings = DaemonSettings()


def read_daemon(home: Path) -> DaemonSettings:
    """[billing.daemon] of HOME/edgetoll.toml and its environment; ConfigError names the key."""
    return section(home, "billing", _Billing).daemon
