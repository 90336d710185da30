"""What a load file says of promotional credits and of commitments, row by row."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from billing.accounts.row_fields import CorrectableRow, Id, Instant, Money
from billing.prices.units import ITEMS
from billing.text_rules import check_line

PLAN_ITEM = "plan"
"""The item that the price of a plan is charged as."""


class _AgreementRow(CorrectableRow):
    id: Id
    account: Id
    amount: Annotated[Money, Field(gt=0, lt=2**96)]
    starts: Instant

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        ends = getattr(self, "ends", None)
        if ends is not None and ends <= self.starts:
            raise ValueError(f"{self.id} ends before it starts")
        return self


class CreditRow(_AgreementRow):
    """A promotional credit: an amount that pays what its scope names, from a time to another.

    Without `items` it pays every item that usage is charged as; the price of plans only where
    `items` names `plan`, a commitment's true-up never. Without `regions` it pays in all; with them
    what is charged in these alone (`OverSeas`: in all but CN), so nothing whose price is one for
    `all`, unless that is named. Of several the lowest `priority` pays first.
    """

    ends: Instant
    items: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    priority: int = Field(default=100, ge=0, le=1000)

    @field_validator("items")
    @classmethod
    def _are_sold(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(items) - {*ITEMS, PLAN_ITEM})
        if unknown:
            raise ValueError(
                f"there is no item {unknown[0]!r}: items are {', '.join((*ITEMS, PLAN_ITEM))}"
            )
        return tuple(sorted(set(items)))

    @field_validator("regions")
    @classmethod
    def _are_single(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        if any("," in check_line(region) or not region for region in regions):
            raise ValueError("a region is one name, without a comma")
        return tuple(sorted(set(regions)))


class CommitmentRow(_AgreementRow):
    """An account's minimum over all items, in each month of a term, or in all of them together.

    `settles = "month"`: what is missing is charged as each month ends; `"term"`: once, when the
    term ends, so that a strong month makes up for a weak one.
    """

    ends: Instant | None = None
    settles: Literal["month", "term"] = "month"

    @model_validator(mode="after")
    def _a_term_ends(self) -> Self:
        if self.settles == "term" and self.ends is None:
            raise ValueError("what settles at the end of its term has one: `ends`")
        return self
