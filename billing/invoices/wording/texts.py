"""The texts that documents say beside their figures: one catalogue, a file for each language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


def said(key: str, language: str = "en", **values: str) -> str:
    """The text of `key` in `language`, its places filled in; KeyError where there is none."""
    return catalogue(language)[key].format(**values)


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every text of a language by key."""
    path = files("billing.invoices.wording").joinpath(f"{language}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))
