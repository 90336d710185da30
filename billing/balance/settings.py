"""Settings of alerts and suspension: the sub-table [billing.balance] of edgetoll.toml."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from edge.configfile import section


class BalanceSettings(BaseModel):
    """Limits that hold for all accounts; what differs by account stands with the account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hysteresis_percent: int = Field(default=10, ge=0, le=100)
    """How far above its limit a balance must rise before `low_balance` ends."""
    release_days: int = Field(default=30, ge=1)
    """Days after which a suspended account's configuration is dropped."""
    usage_limit_hours: int = Field(default=36, ge=1)
    """Usage known only up to a time older than this raises `unverified`."""
    payments_limit_hours: int | None = Field(default=None, ge=1)
    """The same for payments; unset where top-ups are entered at once and no feed can be late."""
    at_risk_hours: int = Field(default=72, ge=1)
    """`accounts --at-risk` lists accounts whose service is forecast to stop within this."""


def read_settings(home: Path) -> BalanceSettings:
    """[billing.balance] of HOME/edgetoll.toml and its environment; ConfigError names the key."""
    return section(home, "billing.balance", BalanceSettings)
