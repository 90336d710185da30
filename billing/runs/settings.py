"""Settings of rating runs: the keys that stand in [billing] of edgetoll.toml itself."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from billing.money import check_currency, parse_amount
from billing.runs.breaker import BreakerLimits
from edge.configfile import section
from edge.errors import InputError


class RunSettings(BaseModel):
    """[billing] of edgetoll.toml, as far as runs go; `billing.settings` refuses what is unknown."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    too_old_days: int = Field(default=60, ge=1)
    """Usage older than this waits for a person (`edgetoll billing accept`)."""
    breaker_factor: int = Field(default=10, ge=2)
    """A run above this many times the trailing median per period is held."""
    breaker_floor: str = "100.00"
    """The median does not hold runs that charge less than this per period."""
    breaker_caps: dict[str, str] = {}
    """Absolute cap of one run, per currency."""

    @field_validator("breaker_floor")
    @classmethod
    def _is_money(cls, floor: str) -> str:
        return _amount(floor)

    @field_validator("breaker_caps")
    @classmethod
    def _are_money(cls, caps: dict[str, str]) -> dict[str, str]:
        """A cap in a currency that is none would hold nothing, in silence."""
        for currency, cap in caps.items():
            try:
                check_currency(currency)
            except InputError as error:
                raise ValueError(error.message) from error
            _amount(cap)
        return caps

    def limits(self) -> BreakerLimits:
        """The breaker's limits in 10^-10 units."""
        return BreakerLimits(
            factor=self.breaker_factor,
            floor=parse_amount(self.breaker_floor),
            caps={key: parse_amount(value) for key, value in self.breaker_caps.items()},
        )


def _amount(text: str) -> str:
    try:
        units = parse_amount(text)
    except InputError as error:
        raise ValueError(error.message) from error
    if units < 0:
        raise ValueError(f"{text} is below zero")
    return text


def read_settings(home: Path) -> RunSettings:
    """[billing] of HOME/edgetoll.toml and its environment."""
    return section(home, "billing", RunSettings)
