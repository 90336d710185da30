"""What is wrong in a price book, in words of its file: file, line, card, key, and what to write.

Cards are named by their id, or counted from 1 as people count; a value is shown so that nothing in
it can drive a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import date, time
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from edge.configfile import line_of
from edge.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

Keys = tuple[str | int, ...]
_SHOWN = 60


class Wrong(ValueError):
    """A value of the file that cannot be used: what is wrong, what to write, and under which key
    below the one at hand.
    """

    def __init__(self, message: str, hint: str, *key: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.key: Keys = key


def shown(value: object) -> str:
    """`value` as a person may see it: short, and without what a terminal would act on."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = repr(value)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        return "so large a number"
    return str(value)


class BookFile:
    """The text of a price book and what its TOML holds, to name places in it."""

    def __init__(self, path: Path, text: str, content: Mapping[str, object]) -> None:
        self.path = path
        self._text = text
        self._content = content

    def fault(self, keys: Keys, message: str, hint: str, more: int = 0) -> ConfigError:
        """The error that `message` is wrong at `keys`, a path into the file."""
        others = f" (and {more} more)" if more else ""
        return ConfigError(f"{self.place(keys)}: {message}{others}", hint or "correct that key")

    def place(self, keys: Keys) -> str:
        """File, line, card and key."""
        line = line_of(self._text, keys)
        parts = [f"{self.path}, line {line}" if line else str(self.path)]
        inner = keys
        if len(keys) > 1 and keys[0] in ("card", "override") and isinstance(keys[1], int):
            parts.append(f"{keys[0]} {self._name(str(keys[0]), keys[1])}")
            inner = keys[2:]
        dotted = ".".join(
            str(key + 1) if isinstance(key, int) else shown(key)[1:-1] for key in inner
        )
        return ", ".join([*parts, f"key {dotted}"] if dotted else parts)

    def explain(self, error: ValidationError, model: type[BaseModel]) -> ConfigError:
        """The first of what pydantic found, by line, in our words."""
        found = error.errors(include_url=False)
        # A list whose entries are wrong is also said to be too short: that is no fault of its own.
        inner = [one for one in found if one["type"] != "too_short"] or found
        first = min(inner, key=lambda one: line_of(self._text, one["loc"]) or sys.maxsize)
        message, hint = _said(first, model)
        return self.fault(first["loc"], message, hint, more=len({one["loc"] for one in inner}) - 1)

    def _name(self, kind: str, number: int) -> str:
        rows = self._content.get(kind)
        row = rows[number] if isinstance(rows, list) and number < len(rows) else None
        name = row.get("id") if isinstance(row, dict) else None
        if isinstance(name, str) and name and name.isprintable() and len(name) <= _SHOWN:
            return name
        return str(number + 1)


def _said(error: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    value, kind, context = error["input"], error["type"], error.get("ctx", {})
    wrong = context.get("error")
    if isinstance(wrong, Wrong):
        return wrong.message, wrong.hint
    say = _WORDS.get(kind)
    if kind == "extra_forbidden":
        return "this key is not known here", _near(str(error["loc"][-1]), error["loc"], model)
    if kind == "literal_error":
        return f"{shown(value)} is not known", f"use {context['expected']}"
    if kind in ("tuple_type", "list_type") and error["loc"] in (("card",), ("override",)):
        name = error["loc"][0]
        return "this must be a list of tables", f"write [[{name}]] with two brackets each"
    return (say(value) if say else f"{shown(value)} cannot be used here"), _HINTS.get(kind, "")


_WORDS: dict[str, Callable[[object], str]] = {
    "missing": lambda _value: "this key is missing",
    "too_short": lambda _value: "there is none",
    "string_type": lambda value: f"{shown(value)} is not text",
    "bool_type": lambda value: f"{shown(value)} is neither true nor false",
    "tuple_type": lambda value: f"{shown(value)} is not a list",
    "list_type": lambda value: f"{shown(value)} is not a list",
    "dict_type": lambda value: f"{shown(value)} is not a table",
    "model_type": lambda value: f"{shown(value)} is not a table",
    "model_attributes_type": lambda value: f"{shown(value)} is not a table",
    "string_pattern_mismatch": lambda value: f"{shown(value)} is not a name",
}
_HINTS = {
    "missing": "add it, see docs/pricing.md",
    "too_short": "write at least one [[card]]",
    "string_type": "write it in quotes",
    "bool_type": "write true or false without quotes",
    "tuple_type": "write it in brackets: [ … ]",
    "list_type": "write it in brackets: [ … ]",
    "dict_type": "write it as a table, as in { key = … }",
    "model_type": "write it as a table, as in { key = … }",
    "model_attributes_type": "write it as a table, as in { key = … }",
    "string_pattern_mismatch": "use at most 64 letters, digits, dots, dashes and underscores,"
    " a letter or digit first",
}


def _near(key: str, loc: Keys, model: type[BaseModel]) -> str:
    """What a misspelt key may have been: the nearest of the keys known at its place."""
    known = _known(model, loc[:-1])
    close = get_close_matches(key, known, n=1)
    return f"write {close[0]}" if close else f"remove it; known here: {', '.join(sorted(known))}"


def _known(model: type[BaseModel], loc: Keys) -> list[str]:
    found: type[BaseModel] = model
    for part in loc:
        if isinstance(part, str):
            found = _inner(found, part) or found
    return list(found.model_fields)


def _inner(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    from pydantic import BaseModel

    field = model.model_fields.get(key)
    kinds = [] if field is None else [field.annotation]
    while kinds:
        kind = kinds.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
        kinds += getattr(kind, "__args__", ())
    return None
