"""What one cell of a load file may hold: times, money, quantities, names, tags; and a row's base.

A wrong value raises ValueError, which says what to write instead.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from billing.money import check_currency, parse_amount
from billing.readable import unlike_any_other
from billing.text_rules import check_line
from edge.domain import canonical_domain, is_registry_suffix
from edge.errors import InputError

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
NEVER = datetime(9999, 12, 31, tzinfo=UTC).replace(tzinfo=None)
_ID = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"
_BYTES = {"KB": 1, "MB": 2, "GB": 3, "TB": 4, "PB": 5}


def _moment(value: object) -> datetime:
    """When something was bought, asked for or opened: any whole second, as naive UTC."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(read, datetime):
            raise ValueError("not a time")
        moment = read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    except (ValueError, OverflowError) as error:
        raise ValueError("write a time like 2026-10-01T00:00:00Z") from error
    if moment.microsecond:
        raise ValueError(f"{value} is not a whole second")
    if not 2000 <= moment.year < 9999:
        raise ValueError(f"{value} is before 2000 or after 9998")
    return moment


def _instant(value: object) -> datetime:
    """A time on a 5-minute edge: ownership and terms change only there (DESIGN §3.7)."""
    moment = _moment(value)
    if moment.minute % 5 or moment.second:
        raise ValueError(f"{value} is not on a 5-minute edge")
    return moment


def _end(value: object) -> datetime:
    return NEVER if value == "never" else _instant(value)


def _money(value: object) -> int:
    try:
        return parse_amount(str(value) if type(value) is int else value)  # type: ignore[arg-type]
    except InputError as error:
        raise ValueError(error.message + '; write it in quotes, like "500.00"') from error


def percent(value: object) -> Decimal:
    """A percentage as basis points, of which there may be hundredths: 8.875 % is 887.50 of them."""
    known = re.fullmatch(r"\d{1,3}(\.\d{1,10})?", str(value), re.ASCII)
    hundredths, rest = divmod(int(_money(value)) if known else -1, 10**6)
    if rest or not 0 <= hundredths <= 1_000_000:
        raise ValueError(f"{value} is not a percentage from 0 to 100 with at most four decimals")
    return Decimal(hundredths).scaleb(-2)


def parse_count(value: object) -> int:
    """A count, or bytes with a unit: `"500 GB"` is 500 × 1024^3 (DOMAIN §10.4)."""
    if type(value) is int:
        return value
    match = re.fullmatch(r"([\d_]+)\s*([KMGTP]B)?", str(value), re.ASCII)
    if not match:
        raise ValueError(f'{value!r} is not a quantity: write 1000000 or "500 GB"')
    size: int = 1024 ** _BYTES.get(match[2], 0)
    return int(match[1]) * size


def owned_name(value: object) -> str:
    """A host name in its canonical form, or `*.` and one."""
    text = str(value)
    wildcard = text.startswith("*.")
    name = canonical_domain(text[2:] if wildcard else text)
    if name is None:
        raise ValueError(f"{text!r} is not a domain name, nor *.NAME")
    if wildcard and is_registry_suffix(name):
        raise ValueError(
            f"{text!r} would own every name below {name}, which anybody may register: own the"
            f" customer's own names, like *.shop.{name}"
        )
    return f"*.{name}" if wildcard else name


def known_currency(value: str) -> str:
    """The code of a currency whose minor unit is known."""
    try:
        return check_currency(value)
    except InputError as error:
        raise ValueError(error.message) from error


def known_timezone(value: str | None) -> str | None:
    """The name of a time zone that there is."""
    if value is not None and value not in available_timezones() - {"Factory"}:
        raise ValueError(f"there is no time zone {value!r}; write one like Asia/Shanghai")
    return value


def plain_id(value: str | None) -> str | None:
    """An id of a person's own choice: one that nobody takes for another (CASES G6)."""
    why = None if value is None else unlike_any_other(value)
    if why is not None:
        raise ValueError(f"{value!a} could be taken for another id: {why}")
    return value


def _tags(value: object) -> object:
    """`{team = "web"}`, or in CSV `team=web;stage=live`: texts by name, a name once."""
    if not isinstance(value, str):
        return value
    pairs = [part.split("=", 1) for part in value.split(";") if part.strip()]
    found = {pair[0].strip(): pair[-1].strip() for pair in pairs}
    if any(len(pair) != 2 for pair in pairs) or len(found) != len(pairs):
        raise ValueError(f"{value!r} are no tags: write team=web;stage=live")
    return found


def _tag_text(value: str) -> str:
    if not value or len(value) > 128:
        raise ValueError("a tag's name and its value have 1 to 128 characters")
    return check_line(value)


_Tag = Annotated[str, AfterValidator(_tag_text)]
Tags = Annotated[dict[_Tag, _Tag], BeforeValidator(_tags), Field(max_length=50)]
"""What an account or a domain is grouped by in reports; not said: as they are."""
Instant = Annotated[datetime, BeforeValidator(_instant)]
End = Annotated[datetime, BeforeValidator(_end)]
"""When something ends; `"never"`: an end that is stored was wrong."""
Moment = Annotated[datetime, BeforeValidator(_moment)]
Money = Annotated[int, BeforeValidator(_money)]
Id = Annotated[str, Field(pattern=f"^{_ID}$")]


class LoadRow(BaseModel):
    """What all rows of a load file are: no unknown keys, text of one visible line."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=500)

    @field_validator("*")
    @classmethod
    def _is_a_line(cls, value: object) -> object:
        """Text that is stored is one visible line: it is printed, mailed and shown by terminals."""
        return check_line(value) if isinstance(value, str) else value


class CorrectableRow(LoadRow):
    """A fact that may put a stored one right: of the same id, or of that named by `replaces`."""

    replaces: str = ""
    why: str = ""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.replaces and not self.why:
            raise ValueError("what replaces another says why: `why`")
        return self
