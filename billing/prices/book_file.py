"""The shape of a price book's TOML file: which keys there are, and what each may hold.

Money is a decimal string ("0.008"), never a TOML number, since a float is not what somebody wrote.
What a value may not be is said in words of the file (billing.prices.book_errors).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from billing.money import parse_amount
from billing.prices import units
from billing.prices.book_errors import Wrong, shown
from billing.prices.records import PARTS_PER_WHOLE
from edge.errors import InputError

Item = Literal[
    "https_requests",
    "quic_requests",
    "http_requests",
    "data_transfer",
    "peak_bandwidth",
    "percentile95_bandwidth",
]
Model = Literal["per_unit", "package", "graduated", "volume", "step_reached"]
# Prices are compared and counted in a calendar that holds these years.
YEARS = range(1970, 9999)
_JOINERS = "\u200c\u200d"  # zero-width ones that Persian and Indic words are written with


def _decimal(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Wrong(f"{shown(value)} is not {what}", f'write {what} in quotes: "0.01"')
    if not isinstance(value, str):
        raise Wrong(f"{value} is a number: {what} is a decimal string", f'write "{value}"')
    try:
        return parse_amount(value)
    except InputError as error:
        raise Wrong(error.message, error.hint) from error


def _money(value: object) -> int:
    units_10 = _decimal(value, "money")
    if units_10 < 0:
        raise Wrong(f"{value} is below zero", "write 0 or more")
    return units_10


def _percent(value: object) -> int:
    ten_digits = _decimal(value, "a percentage")
    millionths, rest = divmod(ten_digits * PARTS_PER_WHOLE, 100 * 10**10)
    if rest or not 0 <= millionths <= PARTS_PER_WHOLE:
        raise Wrong(
            f"{value} is not a percentage from 0 to 100 with at most 4 decimals", "correct it"
        )
    return millionths


def _quantity(value: object) -> int | str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise Wrong(
            f"{shown(value)} is not a quantity",
            'write a whole number of requests, or text with a unit, as in "50 TB"',
        )
    return value


def _moment(value: object) -> date | datetime:
    if isinstance(value, str):
        with suppress(ValueError):
            value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if not isinstance(value, date):
        raise Wrong(
            f"{shown(value)} is not a date", "write it like 2026-01-01 or 2026-01-01T08:00:00Z"
        )
    if value.year not in YEARS:
        raise Wrong(f"{value} is too far away", f"use a year from {YEARS[0]} to {YEARS[-1]}")
    return value


def _line(value: object) -> str:
    return _text(value, allowed=_JOINERS)


def _lines(value: object) -> str:
    return _text(value, allowed=_JOINERS + "\n\t")


def _name(value: object) -> str:
    text = _text(value, allowed="")
    if not text or text != text.strip():
        raise Wrong(f"{shown(value)} is blank or begins or ends with a space", "name it")
    return text


def _text(value: object, allowed: str) -> str:
    if not isinstance(value, str):
        raise Wrong(f"{shown(value)} is not text", "write it in quotes")
    hidden = [char for char in value if not char.isprintable() and char not in allowed]
    if hidden:
        raise Wrong(
            f"{shown(value)} has a character that nobody can see ({shown(hidden[0])})",
            "write it without",
        )
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong(f"{shown(value)} is not a whole number", "write one without quotes")
    if not 0 < value <= 10**12:
        raise Wrong(f"{shown(value)} is not from 1 to 1,000,000,000,000", "correct it")
    return value


Money = Annotated[int, BeforeValidator(_money)]
Percent = Annotated[int, BeforeValidator(_percent)]
Quantity = Annotated[StrictInt | str, BeforeValidator(_quantity)]
Moment = Annotated[date | datetime, BeforeValidator(_moment)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, BeforeValidator(_name)]
Line = Annotated[str, BeforeValidator(_line)]
Lines = Annotated[str, BeforeValidator(_lines)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class TierKeys(_Strict):
    """One entry of `tiers`."""

    up_to: Quantity | None = None
    price: Money = 0
    flat_fee: Money = 0
    at_zero: StrictBool = False


class CardKeys(_Strict):
    """One `[[card]]`."""

    id: Id
    item: Item
    region: Name = units.EVERYWHERE
    effective_from: Moment
    effective_until: Moment | None = None
    model: Model = "per_unit"
    unit: Line
    per: Annotated[int, BeforeValidator(_whole)] = 1
    price: Money | None = None
    tiers: tuple[TierKeys, ...] = ()
    period: Literal["hour", "day", "month"] = "month"
    flat_fee: Money = 0
    minimum: Money | None = None
    maximum: Money | None = None
    prorated: StrictBool = False
    free_quota: Quantity | None = None
    discount_percent: Percent = 0
    corrects: Name | None = None
    note: Lines = ""


class OverrideKeys(CardKeys):
    """One `[[override]]`: a card for one account."""

    account: Name


class HeadKeys(_Strict):
    """The table `[book]`."""

    id: Id
    title: Line = ""
    currency: Line
    timezone: Line = "UTC"
    source: Lines = ""


class BookKeys(_Strict):
    """The whole file."""

    book: HeadKeys
    regions: dict[Name, tuple[Name, ...]] = {}
    card: Annotated[tuple[CardKeys, ...], Field(min_length=1)]
    override: tuple[OverrideKeys, ...] = ()
