"""The report's page: one HTML file, made of a template and nothing else, and its cells.

A manager reads amounts in the currency's own decimals and bytes in a unit that can be grasped. What
is shortened so has its exact value beside it (the cell's title, and the question below the table).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from billing.lake.export import as_text
from billing.money import DIGITS, format_amount, minor_digits, nearest_minor

if TYPE_CHECKING:
    from jinja2 import Template

    from billing.analysts.report import Answered, Tile

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCell:
    """A value for eyes; `exact` is all of it where `text` is shorter, else blank."""

    text: str
    exact: str = ""


def cell(value: object, *, name: str = "", currency: object = None) -> ReportCell:
    """The value of a column called `name`, in a row of that currency."""
    if isinstance(value, bool):
        return ReportCell(text="yes" if value else "no")
    if isinstance(value, int) and name.endswith("bytes_sent"):
        return _size(value)
    if isinstance(value, int) and name.endswith("permille"):
        return ReportCell(text=f"{value // 10}.{value % 10} %")
    if isinstance(value, int):
        return ReportCell(text=f"{value:,}")
    if isinstance(value, Decimal) and isinstance(currency, str):
        return _money(value, currency)
    if isinstance(value, Decimal):
        return ReportCell(text=f"{value:,f}")
    if isinstance(value, list):
        return ReportCell(text=", ".join(as_text(one) for one in value))
    return ReportCell(text="—" if value is None else as_text(value))


def _money(value: Decimal, currency: str) -> ReportCell:
    units = int(value.scaleb(DIGITS))
    short = nearest_minor(units, currency)
    text = f"{Decimal(format_amount(short, currency)):,f}"
    if short == 0 != units:
        least = format_amount(10 ** (DIGITS - minor_digits(currency)), currency)
        text = f"< {least}" if units > 0 else f"> -{least}"
    return ReportCell(text=text, exact="" if short == units else f"{value:,f} {currency}")


def _size(value: int) -> ReportCell:
    power = min(max(0, len(str(abs(value))) - 1) // 3, len(UNITS) - 1)
    if power == 0:
        return ReportCell(text=f"{value:,} {UNITS[0]}")
    hundredths: int = value * 100 // 1000**power
    text = f"{hundredths // 100}.{hundredths % 100:02} {UNITS[power]}"
    return ReportCell(text=text, exact=f"{value:,} {UNITS[0]}")


def title_of(month: str, name: str) -> str:
    """«Acme's October 2026», or of all accounts «October 2026»."""
    said = date.fromisoformat(f"{month}-01").strftime("%B %Y")
    return f"{name}’{'' if name.endswith('s') else 's'} {said}" if name else said


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    text = files("billing.analysts").joinpath("templates", "report.html.j2").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(text)


def rendered(
    title: str,
    account: str,
    tiles: Sequence[Tile],
    sections: Sequence[Answered],
    complete: Mapping[str, object],
) -> str:
    """The page. Everything that comes from data is escaped; the pictures are our own SVG."""
    return _template().render(
        title=title, account=account, tiles=tiles, sections=sections, complete=complete
    )
