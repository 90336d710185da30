"""The report's page: one HTML file, made of a template and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template

    from billing.analysts.report import Answered, Tile


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    text = files("billing.analysts").joinpath("templates", "report.html.j2").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(text)


def rendered(
    month: str,
    account: str,
    tiles: Sequence[Tile],
    sections: Sequence[Answered],
    complete: Mapping[str, object],
) -> str:
    """The page. Everything that comes from data is escaped; the pictures are our own SVG."""
    return _template().render(
        month=month, account=account, tiles=tiles, sections=sections, complete=complete
    )
