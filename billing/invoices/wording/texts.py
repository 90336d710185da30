"""The texts that documents say beside their figures: one catalogue, `texts.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

LANGUAGES = ("en",)


def said(key: str, language: str = "en", **values: str) -> str:
    """The text of `key` in `language`, its places filled in; KeyError where there is none."""
    return catalogue()[key][language].format(**values)


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Each text by key and language."""
    path = files("billing.invoices.wording").joinpath("texts.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))
