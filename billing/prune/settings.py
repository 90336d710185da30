"""Settings of prune: `[billing.prune]` of edgetoll.toml, the policy in months."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from edge.configfile import section


class PruneSettings(BaseModel):
    """How long what is stored stays as it is: so many whole months (UTC) before the present one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    merge_months: int = Field(default=2, ge=1)
    """The charges of runs of earlier months are merged into one file a month."""
    usage_months: int = Field(default=25, ge=3)
    """Usage of earlier months goes, in 5 minutes and added up: what was charged for it stays."""
    message_months: int = Field(default=13, ge=1)
    """Texts of earlier months' messages of how accounts stood go: that they were told stays."""


def read_prune(home: Path) -> PruneSettings:
    """[billing.prune] of HOME/edgetoll.toml and its environment; ConfigError names the key."""
    return section(home, "billing.prune", PruneSettings)


def month_start(at: datetime, *, months: int = 0) -> datetime:
    """The start of the UTC month that lies `months` before that of `at`."""
    moment = at.astimezone(UTC)
    count = moment.year * 12 + moment.month - 1 - months
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)
