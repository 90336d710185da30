"""How a language writes figures and days. Figures come as finished English text and get other
marks, so that no digit can change: Babel says which marks, and how days and money are put together.

English is as documents have been from the first, so that those of before stay what they were.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from billing.invoices.wording.texts import said

if TYPE_CHECKING:
    from babel import Locale

ENGLISH = "en"
LOCALES = {
    "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "zh": "zh_Hans_CN", "ja": "ja_JP", "ar": "ar_AE",
}  # fmt: skip
"""Whose customs a language follows; Arabic with Western digits, as amounts are written in trade."""
RIGHT_TO_LEFT = frozenset({"ar"})
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_MEASURES = (
    (re.compile(r"(-?[\d,.]+) GB"), "gigabytes"),
    (re.compile(r"(-?[\d,.]+) TB"), "terabytes"),
    (re.compile(r"(-?[\d,.]+) byte"), "one_byte"),
    (re.compile(r"(-?[\d,.]+) bytes"), "some_bytes"),
    (re.compile(r"(-?[\d,.]+) bytes in 5 minutes"), "some_bytes_in_5_minutes"),
    (re.compile(r"(-?[\d,.]+) Mbps"), "megabits"),
    (re.compile(r"(-?[\d,.]+) requests"), "some_requests"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A language with its customs."""

    language: str = ENGLISH

    def said(self, key: str, **values: str) -> str:
        """The text of that key in this language."""
        return said(key, self.language, **values)

    @property
    def is_right_to_left(self) -> bool:
        """Whether lines begin at the right."""
        return self.language in RIGHT_TO_LEFT

    def number(self, text: str) -> str:
        """An English figure (`-1,234.50`) with this language's marks."""
        if self.language == ENGLISH or not _NUMBER.fullmatch(text):
            return text
        return text.translate(_marks(self.language))

    def money(self, text: str, currency: str) -> str:
        """An English figure with its currency's code, which stands where this language has it."""
        if self.language == ENGLISH:
            return f"{text} {currency}"
        figure = self.number(text)
        if _code_stands_first(self.language):
            return f"{currency}\u00a0{figure}"
        return f"{figure}\u00a0{currency}"

    def measure(self, text: str) -> str:
        """A quantity as `figures` writes it (`1.500 GB`, `355 bytes`), with unit and marks."""
        if self.language == ENGLISH:
            return text
        for pattern, key in _MEASURES:
            if found := pattern.fullmatch(text):
                return self.said(key, count=self.number(found[1]))
        return self.number(text)

    def day(self, day: date, *, short: bool = False) -> str:
        """A day, its month in full (or short, for tables)."""
        if self.language == ENGLISH:
            return f"{day:%-d %b %Y}" if short else f"{day:%-d %B %Y}"
        from babel.dates import format_date

        return format_date(day, "medium" if short else "long", locale=_locale(self.language))

    def month(self, month: str) -> str:
        """A month of the calendar: `October 2026`."""
        first = date(int(month[:4]), int(month[5:]), 1)
        if self.language == ENGLISH:
            return f"{first:%B %Y}"
        from babel.dates import format_skeleton

        return format_skeleton("yMMMM", first, locale=_locale(self.language))


@cache
def _locale(language: str) -> Locale:
    from babel import Locale

    return Locale.parse(LOCALES[language])


@cache
def _marks(language: str) -> Mapping[int, str]:
    """What stands for the English comma, point and minus."""
    from babel.numbers import get_decimal_symbol, get_group_symbol, get_minus_sign_symbol

    locale = _locale(language)
    return {
        ord(","): get_group_symbol(locale),
        ord("."): get_decimal_symbol(locale),
        ord("-"): get_minus_sign_symbol(locale),
    }


@cache
def _code_stands_first(language: str) -> bool:
    """Whether the pattern of money has the currency in front."""
    pattern: str = _locale(language).currency_formats["standard"].pattern.partition(";")[0]
    return pattern.lstrip("\u200f\u200e").startswith("¤")
