"""Settings of the store: the keys of its sessions that stand in [billing] of edgetoll.toml."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from edge.configfile import CONFIG_NAME, section


class StoreSettings(BaseModel):
    """[billing] of edgetoll.toml, as far as the store goes."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    memory_limit: str = Field(default="1500MB", pattern=r"^[1-9]\d*(\.\d+)? ?[KMGT]i?B$")
    """DuckDB's: what does not fit goes to disk meanwhile (`billing.duckdb.tmp`)."""


def read_settings(home: Path) -> StoreSettings:
    """[billing] of HOME/edgetoll.toml and its environment; the defaults where there is none."""
    if not home.joinpath(CONFIG_NAME).exists():
        return StoreSettings()
    return section(home, "billing", StoreSettings)
