"""Section [invoices.close] of edgetoll.toml: when a month's close asks for a person."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from billing.money import parse_amount
from edge.errors import InputError

Required = Literal["address", "email", "tax_id", "country"]


class CloseSettings(BaseModel):
    """How much of a month's close needs a person.

    `policy` `approve`: nothing is issued before somebody approved the checklist; `auto`: accounts
    without a finding are issued, the others are left by name. `requires` says what each account
    must have. A sum that moved by more than `change_percent` of last month's and by more than
    `change_floor`, in whatever currency, is a finding.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: Literal["approve", "auto"] = "approve"
    requires: tuple[Required, ...] = ("address", "email")
    change_percent: int = Field(default=50, ge=0)
    change_floor: str = "100.00"

    @field_validator("change_floor")
    @classmethod
    def _is_money(cls, floor: str) -> str:
        try:
            units = parse_amount(floor)
        except InputError as error:
            raise ValueError(error.message) from error
        if units < 0:
            raise ValueError("a floor is not below zero")
        return floor

    @property
    def floor(self) -> int:
        """`change_floor` in 10^-10 units."""
        return parse_amount(self.change_floor)
