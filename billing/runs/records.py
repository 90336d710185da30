"""What a rating run is set by and what it comes to: settings and outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from billing.money import format_amount, parse_amount
from billing.runs import breaker
from billing.runs.import_hours import ImportOutcome
from edge.configfile import section


class RunSettings(BaseModel):
    """[billing] of edgetoll.toml, as far as runs go."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    too_old_days: int = Field(default=60, ge=1)
    """Usage older than this waits for a person (`edgetoll billing accept`)."""
    breaker_factor: int = Field(default=10, ge=2)
    """A run above this many times the trailing median per period is held."""
    breaker_floor: str = "100.00"
    """The median does not hold runs that charge less than this per period."""
    breaker_caps: dict[str, str] = {}
    """Absolute cap of one run, per currency."""

    def limits(self) -> breaker.Limits:
        """The breaker's limits in 10^-10 units; InputError for an amount that is none."""
        return breaker.Limits(
            factor=self.breaker_factor,
            floor=parse_amount(self.breaker_floor),
            caps={key: parse_amount(value) for key, value in self.breaker_caps.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What a run did. `state`: done, nothing, held, waiting (no closed hour yet) or dry (not
    posted).
    """

    state: str
    run_id: str | None = None
    through: datetime | None = None
    imported: ImportOutcome = field(default_factory=ImportOutcome)
    totals: tuple[breaker.Total, ...] = ()
    reason: str = ""
    held_hours: tuple[Any, ...] = ()
    held_count: int = 0
    journal_no: int | None = None

    def document(self) -> dict[str, Any]:
        """The run for `--json`; money as decimal strings."""
        return {
            "state": self.state,
            "run": self.run_id,
            "through": self.through,
            "imported_files": self.imported.files,
            "imported_requests": self.imported.requests,
            "too_old_files": self.imported.too_old,
            "future_files": self.imported.future,
            "totals": [
                {
                    "currency": total.currency,
                    "period": total.period_kind,
                    "amount": format_amount(total.amount),
                    "periods": total.periods,
                    "charges": total.charges,
                }
                for total in self.totals
            ],
            "reason": self.reason,
            "held_hours": [
                {"account_id": one.account_id, "hour": one.hour, "problem": one.problem,
                 "hint": one.hint}
                for one in self.held_hours
            ],
            "held_count": self.held_count,
            "journal_no": self.journal_no,
        }  # fmt: skip


def read_settings(home: Path) -> RunSettings:
    """[billing] of HOME/edgetoll.toml and its environment."""
    return section(home, "billing", RunSettings)
