"""What a page is: blocks, each a question of the library with a face. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Face = Literal["table", "facts", "tiles", "chart", "chart and table", "grid"]
"""How an answer is shown: rows; one row as names and values; rows as figures to click; its chart;
both; a grid of coloured cells (what the question's chart calls a heat map).
"""
Leads = str | tuple[str, ...]
"""Where a number or name leads: an address with `{column}` of its row or the page's parameters, or
several, of which the first counts whose values are all there.
"""
INTO = "{"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageField:
    """A parameter of a page: what its form asks and its URL says. `default`: as people write it;
    `this month`, `this day` and the like are filled in when it is shown.
    """

    name: str
    kind: Literal["month", "day", "text", "choice"] = "text"
    default: str = "all"
    label: str = ""
    choices: tuple[str, ...] = ()
    account_wide: bool = False
    """Only for readers who see all accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A question on a page. `given`: its parameters from the page's, `{name}` in braces.

    `opens`: where a cell of a column leads; `columns`: those shown, none: all. `of_fleet`: tells of
    all customers together, so not for readers of one.
    """

    question: str
    heading: str
    given: Mapping[str, str] = field(default_factory=dict)
    face: Face = "table"
    columns: tuple[str, ...] = ()
    opens: Mapping[str, Leads] = field(default_factory=dict)
    empty: str = "None."
    of_fleet: bool = False
    when: str = ""
    """Only asked when the page has a value for this parameter, and not `all`."""
    every: int = 0
    """While the page is open it follows what happens, so many seconds apart at least; 0: not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActCommand:
    """A command that acts on what the page shows; the console itself never does."""

    what: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePage:
    """A page: its path, where `{name}` is a parameter, and its blocks.

    `needs`: the question that must have a row, else there is no such page. `of_fleet`: the whole
    page is for those who see all accounts.
    """

    path: str
    title: str
    about: str
    blocks: tuple[Block, ...]
    nav: str = ""
    fields: tuple[PageField, ...] = ()
    needs: str = ""
    zone_of: str = ""
    """The question that says in which zone times are shown, where one account is asked about."""
    missing: str = ""
    of_fleet: bool = False
    acts: tuple[ActCommand, ...] = ()
    documents: bool = False
    """Has the files of an invoice."""
    certificate: bool = False
    """Has the certificates of an hour as metering wrote them."""


def filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with the values of its `{names}`."""
    return template.format_map(values) if INTO in template else template
