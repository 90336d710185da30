"""Configuration: one TOML file in the home and the environment, checked by pydantic.

A blank or half-written file is an error, never "no customers"; each error names file, key and line.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from edge.errors import ConfigError

T = TypeVar("T", bound=BaseModel)

CONFIG_NAME = "edgetoll.toml"

_SECTIONS = ("edge", "metering", "billing", "invoices")
"""Of edgetoll.toml: a misspelt one would be settings that nobody reads."""

_SAID = {
    "extra_forbidden": "this key is not known here",
    "missing": "this key is missing",
    "model_type": "this must be a table, as in { key = … }",
    "model_attributes_type": "this must be a table",
}
"""What pydantic says in its own words, in ours."""


def read_toml(path: Path, model: type[T]) -> T:
    """The content of TOML file `path` as `model`; ConfigError names file, key and line."""
    text, content = _parse(path)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _explain(path, text, error, ()) from error


def section(home: Path, name: str, model: type[T], environ: Mapping[str, str] | None = None) -> T:
    """Section `[name]` of HOME/edgetoll.toml as `model`.

    Overridden by environment variables `EDGETOLL_<NAME>__KEY[__KEY]`.
    A missing section means the model's defaults; a missing or blank file is a ConfigError.
    Environment values are read as JSON where they parse, else as text.
    """
    path = home / CONFIG_NAME
    if not path.exists():
        raise ConfigError(f"no {CONFIG_NAME} in {home}", f"make a home first: edgetoll init {home}")
    text, content = _parse(path)
    for key in content:
        if key not in _SECTIONS:
            place = f"{path}, line {line_of(text, (key,))}"
            known = ", ".join(f"[{each}]" for each in _SECTIONS)
            raise ConfigError(f"{place}, key {key}: this key is not known here", f"use {known}")
    chosen = content.get(name, {})
    if not isinstance(chosen, dict):
        raise ConfigError(f"{path}: [{name}] must be a section", f"write it as [{name}]")
    _override(chosen, f"EDGETOLL_{name.upper()}__", os.environ if environ is None else environ)
    try:
        return model.model_validate(chosen)
    except ValidationError as error:
        raise _explain(path, text, error, (name,)) from error


def _parse(path: Path) -> tuple[str, dict[str, object]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", "check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text", "save the file as UTF-8") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}", "correct the TOML at that place") from error
    if not content:
        raise ConfigError(
            f"{path} is blank", "a blank file is never taken for «nothing»: restore it"
        )
    return text, content


def _override(content: dict[str, object], prefix: str, environ: Mapping[str, str]) -> None:
    for variable, raw in environ.items():
        if not variable.startswith(prefix):
            continue
        *folders, last = variable[len(prefix) :].lower().split("__")
        place = content
        for folder in folders:
            inner = place.setdefault(folder, {})
            if not isinstance(inner, dict):
                raise ConfigError(
                    f"environment {variable}: {folder} is a value, not a table",
                    "unset the variable",
                )
            place = inner
        try:
            place[last] = json.loads(raw)
        except ValueError:
            place[last] = raw


def _explain(path: Path, text: str, error: ValidationError, within: tuple[str, ...]) -> ConfigError:
    first = error.errors(include_url=False)[0]
    keys = (*within, *(part for part in first["loc"]))
    line = line_of(text, keys)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    place = f"{path}, line {line}" if line else str(path)
    dotted = ".".join(str(key) for key in keys)
    said = _SAID.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    return ConfigError(f"{place}, key {dotted}: {said}{more}", "correct that key")


def line_of(text: str, keys: tuple[str | int, ...]) -> int | None:
    """The line (from 1) of the TOML path `keys`, or of its nearest parent; None if unknown.

    A search over headers and keys, good enough to point a person at the right place: TOML parsers
    for Python that keep positions are slower than everything else this file does.
    """
    header: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    best: tuple[int, int] | None = None
    wanted = tuple(str(key) for key in keys)
    for number, line in enumerate(text.splitlines(), start=1):
        if match := re.match(r"\s*(\[{1,2})\s*([^\]]+?)\s*\]{1,2}", line):
            header = tuple(part.strip().strip("\"'") for part in match[2].split("."))
            if match[1] == "[[":
                counts[header] = counts.get(header, -1) + 1
                header = (*header, str(counts[header]))
            here = header
        elif match := re.match(r"\s*([\w\"'.-]+)\s*=", line):
            here = (*header, *(part.strip("\"'") for part in match[1].split(".")))
        else:
            continue
        if here == wanted[: len(here)] and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best else None
