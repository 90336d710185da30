"""A pattern of explicit sets as a walk: which literals and values follow each other in a line.

`[^ ]* - "(?P<request>(?:[^"\\\\]|\\\\.)*)"` and the like, where each value ends at the first
character that it cannot hold. Then a line can be read in one way only, and the walk finds in it
what the pattern finds; or it ends, and the pattern says why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from edge.batch.records import Array
from edge.logs.walking.walk import OddLine, Values, Walk, bounds_of

CLF: Final = r"[0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4}"
NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?|-"
HOST_BEFORE_PORT: Final = r"(?:\[[^\] ]*\]|[^:]*)"
"""An address stands in brackets there."""
_FORMS: Final = {
    CLF: (b"]", CLF),
    NUMBER: (b" :|\t", NUMBER),
    HOST_BEFORE_PORT: (b":", r"(?!\[)[^:]*"),
}
"""Other forms of values: what cannot be in them, one of which ends them; and what is taken."""
_TRIES: Final = 6
"""Kinds of odd lines that are taken out, each of which the next walk may find."""
_MORE: Final = "(?: .*)?$"
_OPEN: Final = re.compile(r"\(\?(?:P<(\w+)>|:)")
_SET: Final = re.compile(r"\[\^((?:\\.|[^\]\\-])+)\]([*+])")
_QUOTED: Final = re.compile(r'\(\?:\[\^"\\\\((?:\\.|[^\]\\-])*)\]\|\\\\\.\)\*')
_LITERAL: Final = re.compile(r"\\([^A-Za-z0-9])|([^\\()\[\]{}.*+?|^$])")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueForm:
    """A literal, and the value behind it: called `name` if somebody wants it.

    It ends before the first of `ends`, and one of them stands there. `empty`: whether it may be.
    `form`: what it must be. `escapes`: a backslash before a quotation mark would go on.
    """

    literal: bytes
    name: str = ""
    ends: bytes = b""
    empty: bool = True
    form: str = ""
    escapes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineForm:
    """The steps of a line and the literal at its end; `more`: a blank and anything may follow."""

    steps: tuple[ValueForm, ...]
    last: bytes
    more: bool

    def fields(self, block: bytes, begin: int, end: int) -> tuple[dict[str, pl.Series], Array]:
        """(the wanted values of the lines of `block` there that have this form, which of all lines
        have not). Raises OddLine where these are many, or are found one kind after the other.
        """
        lines = bounds_of(block, begin, end)
        odd = lines.odd
        for _ in range(_TRIES):
            kept = np.flatnonzero(~odd)
            if len(kept) * 2 < len(odd):
                break
            whole = len(kept) == len(odd)
            starts = lines.starts if whole else lines.starts[kept]
            ends = lines.ends if whole else lines.ends[kept]
            try:
                return self._walked(Walk(block, starts, ends)), odd
            except OddLine as error:
                if error.rows is None:
                    raise
                odd[kept[error.rows]] = True
        raise OddLine("too many odd lines")

    def _walked(self, walk: Walk) -> dict[str, pl.Series]:
        found: dict[str, pl.Series] = {}
        for step in self.steps:
            walk.require(step.literal)
            values = walk.take_quoted() if step.ends == b'"' else walk.take(step.ends)
            _judge(walk, step, values)
            if step.name:
                found[step.name] = walk.series(values)
        walk.require(self.last)
        walk.end(more=b" " if self.more else b"")
        return found


def _judge(walk: Walk, step: ValueForm, values: Values) -> None:
    """Raise OddLine for a value that the pattern would not take, or would take on."""
    if not step.empty and not values.length.all():
        raise OddLine("an empty value", values.length == 0)
    if step.escapes and walk.has_backslashes:
        escaped = (walk.last_of(values) == ord("\\")) & (values.length > 0)
        if escaped.any():
            raise OddLine("an escaped quotation mark", escaped)
    if step.form:
        form = re.compile(step.form)
        texts, index = walk.texts(values)
        other = np.array([form.fullmatch(text) is None for text in texts])
        if other.any():
            raise OddLine("a value of another form", other[index])


def plan_of(pattern: str) -> LineForm | None:
    """The walk that finds what `pattern` finds; None where it is not made of such values."""
    steps: list[ValueForm] = []
    literal, place = "", 1
    if not pattern.startswith("^"):
        return None
    while pattern[place:] not in (_MORE, "$", ""):
        value = _value_at(pattern, place)
        if value is not None:
            step, place = value
            steps.append(replace(step, literal=literal.encode()))
            literal = ""
            continue
        found = _LITERAL.match(pattern, place)
        if found is None:
            return None
        literal += found[1] or found[2]
        place = found.end()
    end = pattern[place:]
    if not steps or not end or not all(step.literal.isascii() for step in steps):
        return None
    steps[-1] = replace(steps[-1], ends=steps[-1].ends + b"\n")
    behind = [*(step.literal for step in steps[1:]), literal.encode() or b"\n"]
    if not literal.isascii() or not all(map(_ends_at, steps, behind)):
        return None
    return LineForm(steps=tuple(steps), last=literal.encode(), more=end == _MORE)


def _ends_at(step: ValueForm, literal: bytes) -> bool:
    """Whether the value of `step` ends where `literal` begins, since it cannot hold that."""
    return literal != b"" and literal[:1] in step.ends


def _value_at(pattern: str, place: int) -> tuple[ValueForm, int] | None:
    """(the value at `place` of `pattern`, where its form ends); None where none stands."""
    bare = _set_at(pattern, place, "")
    if bare is not None:
        return bare
    opened = _OPEN.match(pattern, place)
    if opened is None:
        return None
    name, begin = opened[1] or "", opened.end()
    inner = _set_at(pattern, begin, name) or _other_at(pattern, begin, name)
    if inner is None or not pattern.startswith(")", inner[1]):
        return None
    return inner[0], inner[1] + 1


def _set_at(pattern: str, place: int, name: str) -> tuple[ValueForm, int] | None:
    """A value by the characters that it cannot hold."""
    quoted = _QUOTED.match(pattern, place)
    if quoted is not None:
        ends = b'"' + _characters(quoted[1])
        return ValueForm(literal=b"", name=name, ends=ends, escapes=True), quoted.end()
    found = _SET.match(pattern, place)
    if found is None:
        return None
    ends = _characters(found[1])
    return ValueForm(literal=b"", name=name, ends=ends, empty=found[2] == "*"), found.end()


def _other_at(pattern: str, place: int, name: str) -> tuple[ValueForm, int] | None:
    """A value of one of the other forms, or the rest of a line."""
    for form, (ends, checked) in _FORMS.items():
        if pattern.startswith(form, place):
            step = ValueForm(literal=b"", name=name, ends=ends, form=checked)
            return step, place + len(form)
    if pattern.startswith(".*)$", place):
        return ValueForm(literal=b"", name=name), place + 2
    return None


def _characters(text: str) -> bytes:
    return re.sub(r"\\(.)", r"\1", text).encode()
