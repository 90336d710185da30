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
from pydantic_core import ErrorDetails

from edge.errors import ConfigError

T = TypeVar("T", bound=BaseModel)

CONFIG_NAME = "edgetoll.toml"

_PREFIX = "EDGETOLL_"
_SECTIONS = ("edge", "metering", "billing", "invoices")
"""Of edgetoll.toml: a misspelt one would be settings that nobody reads."""

_SAID = {
    "extra_forbidden": "this key is not known here",
    "missing": "this key is missing",
    "model_type": "this must be a table, as in {{ key = … }}",
    "model_attributes_type": "this must be a table",
    "dict_type": "this must be a table",
    "int_type": "this must be a whole number",
    "int_parsing": "this must be a whole number",
    "int_from_float": "this must be a whole number, without decimals",
    "int_parsing_size": "this number is too large",
    "float_type": "this must be a number",
    "float_parsing": "this must be a number",
    "finite_number": "this must be a finite number",
    "string_type": 'this must be text, in quotes: "…"',
    "bool_type": "this must be true or false",
    "bool_parsing": "this must be true or false",
    "list_type": "this must be a list: [ … ]",
    "tuple_type": "this must be a list: [ … ]",
    "path_type": 'this must be a path, in quotes: "…"',
    "string_too_short": "this must not be blank",
    "string_too_long": "this is too long: at most {max_length} characters",
    "string_pattern_mismatch": "this is not of the form {pattern}",
    "too_short": "this needs at least {min_length}",
    "too_long": "this may have at most {max_length}",
    "greater_than": "this must be more than {gt}",
    "greater_than_equal": "this must be at least {ge}",
    "less_than": "this must be less than {lt}",
    "less_than_equal": "this must be at most {le}",
    "literal_error": "this must be one of {expected}",
    "enum": "this must be one of {expected}",
    "datetime_type": "this must be a time, as 2026-10-01T00:00:00Z",
    "datetime_parsing": "this must be a time, as 2026-10-01T00:00:00Z",
    "datetime_from_date_parsing": "this must be a time, as 2026-10-01T00:00:00Z",
    "date_type": "this must be a date, as 2026-10-01",
    "date_parsing": "this must be a date, as 2026-10-01",
    "date_from_datetime_parsing": "this must be a date, as 2026-10-01",
    "date_from_datetime_inexact": "this must be a date without a time, as 2026-10-01",
}
"""What pydantic says in its own words, in ours."""


def read_toml(path: Path, model: type[T]) -> T:
    """The content of TOML file `path` as `model`; ConfigError names file, key and line."""
    text, content = _parse(path)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _explain(path, text, content, error, (), {}) from error


def section(home: Path, name: str, model: type[T], environ: Mapping[str, str] | None = None) -> T:
    """Section `[name]` of HOME/edgetoll.toml as `model`; `billing.daemon` is a table of a section.

    Overridden by environment variables `EDGETOLL_<NAME>__KEY[__KEY]`.
    A missing section means the model's defaults; a missing or blank file is a ConfigError.
    Environment values are read as JSON where they parse, else as text.
    """
    environ = os.environ if environ is None else environ
    path = home / CONFIG_NAME
    if not path.exists():
        raise ConfigError(f"no {CONFIG_NAME} in {home}", f"make a home first: edgetoll init {home}")
    text, content = _parse(path)
    for key in content:
        if key not in _SECTIONS:
            place = f"{path}, line {line_of(text, (key,))}"
            known = ", ".join(f"[{each}]" for each in _SECTIONS)
            raise ConfigError(f"{place}, key {key}: this key is not known here", f"use {known}")
    _override(content, environ)
    chosen: object = content
    within = tuple(name.split("."))
    for number, part in enumerate(within, start=1):
        chosen = chosen.get(part, {}) if isinstance(chosen, dict) else {}
        if not isinstance(chosen, dict):
            known = ".".join(within[:number])
            place = f"{path}, line {line_of(text, within[:number])}"
            raise ConfigError(f"{place}: [{known}] must be a section", f"write it as [{known}]")
    try:
        return model.model_validate(chosen)
    except ValidationError as error:
        raise _explain(path, text, content, error, within, environ) from error


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
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"{path}: a number in it has thousands of digits, or its brackets are too deep",
            "write it as docs/ show it",
        ) from error
    if not content:
        raise ConfigError(
            f"{path} is blank", "a blank file is never taken for «nothing»: restore it"
        )
    return text, content


def parse_toml(path: Path) -> tuple[str, dict[str, object]]:
    """The text of TOML file `path` and what it holds, for readers with rules of their own;
    ConfigError when it cannot be read, is no TOML or is blank.
    """
    return _parse(path)


def _override(content: dict[str, object], environ: Mapping[str, str]) -> None:
    """Put the values of `EDGETOLL_SECTION__KEY[__KEY]` in; ConfigError names a variable of a
    section that there is none of.
    """
    for variable, raw in environ.items():
        name, *folders = variable.removeprefix(_PREFIX).lower().split("__")
        if not variable.startswith(_PREFIX) or not folders:
            continue
        if name not in _SECTIONS:
            known = ", ".join(f"{_PREFIX}{each.upper()}__…" for each in _SECTIONS)
            raise ConfigError(f"{variable}: there is no section {name!r}", f"use {known}")
        place = content
        for folder in (name, *folders[:-1]):
            inner = place.setdefault(folder, {})
            if not isinstance(inner, dict):
                raise ConfigError(
                    f"{variable}: {folder} is a value, not a table", "correct that variable"
                )
            place = inner
        try:
            place[folders[-1]] = json.loads(raw)
        except ValueError:
            place[folders[-1]] = raw


def _explain(
    path: Path,
    text: str,
    content: Mapping[str, object],
    error: ValidationError,
    within: tuple[str, ...],
    environ: Mapping[str, str],
) -> ConfigError:
    wrong = error.errors(include_url=False)
    first = wrong[0]
    places = [_keys_of(content, (*within, *one["loc"]), one["type"]) for one in wrong]
    keys, others = places[0], len(set(places)) - 1
    line = line_of(text, keys)
    more = f" (and {others} more)" if others else ""
    variable = _PREFIX + "__".join(str(key) for key in keys).upper()
    place = f"{path}, line {line}" if line else str(path)
    place = variable if variable in environ else place
    # Rows are counted from 1, like lines.
    dotted = ".".join(str(key + 1 if isinstance(key, int) else key) for key in keys)
    return ConfigError(f"{place}, key {dotted}: {said(first)}{more}", "correct that key")


def faults_of(
    path: Path, text: str, content: Mapping[str, object], error: ValidationError
) -> list[str]:
    """Each fault of a file's `content` with file, key and line, once."""
    found: list[str] = []
    for one in error.errors(include_url=False):
        keys = _keys_of(content, one["loc"], one["type"])
        line = line_of(text, keys)
        dotted = ".".join(str(key + 1 if isinstance(key, int) else key) for key in keys)
        where = f"{path}, line {line}" if line else str(path)
        found.append(f"{where}{f', key {dotted}' if dotted else ''}: {said(one)}")
    return list(dict.fromkeys(found))


def _keys_of(
    content: Mapping[str, object], place: tuple[str | int, ...], kind: str
) -> tuple[str | int, ...]:
    """`place` without what is pydantic's own in it: the branch of a union it tried."""
    keys: list[str | int] = []
    here: object = content
    for part in place:
        is_key = isinstance(here, dict) and part in here
        is_row = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if is_key or is_row:
            here = here[part]  # type: ignore[index]
        elif kind != "missing" or part != place[-1]:
            continue
        keys.append(part)
    return tuple(keys)


def said(error: ErrorDetails) -> str:
    """What is wrong by one of pydantic's errors, in words for who wrote the file."""
    words = _SAID.get(error["type"])
    if words is None:
        return error["msg"].removeprefix("Value error, ")
    return words.format(**error.get("ctx", {}))


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
            header = _header(match[2], len(match[1]) == 2, counts)
            found = [header, header[:-1]] if match[1] == "[[" else [header]
        elif match := re.match(r"\s*([\w\"'.-]+)\s*=", line):
            found = [(*header, *(part.strip("\"'") for part in match[1].split(".")))]
        else:
            continue
        for here in found:
            if here == wanted[: len(here)] and (best is None or len(here) > best[0]):
                best = (len(here), number)
    return best[1] if best else None


def _header(dotted: str, listed: bool, counts: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """The path that a header opens; lists of tables are counted in `counts`, by their path."""
    path: tuple[str, ...] = ()
    parts = [part.strip().strip("\"'") for part in dotted.split(".")]
    for place, part in enumerate(parts, start=1):
        path = (*path, part)
        if listed and place == len(parts):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, str(counts[path]))
    return path


def table_lines(text: str) -> dict[str, list[int]]:
    """The lines (from 1) of the headers `[[NAME]]`, by NAME, in one pass over the file."""
    found: dict[str, list[int]] = {}
    inside = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not inside and (match := re.match(r"\s*\[\[\s*([\w.-]+)\s*\]\]", line)):
            found.setdefault(match[1], []).append(number)
        for quote in re.findall(r'"""|\'\'\'', line):
            inside = "" if inside == quote else inside or quote
    return found
