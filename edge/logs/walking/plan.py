"""A pattern of explicit sets as a walk: which literals and values follow each other in a line.

`[^ ]* - "(?P<request>(?:[^"\\\\]|\\\\.)*)"` and the like, where each value ends at the first
character that it cannot hold. Then a line can be read in one way only, and the walk finds in it
what the pattern finds; or it ends, and the pattern says why.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from edge.logs.walking.program import Kind, LineForm, ValueForm

CLF: Final = r"[0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4}"
NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?|-"
HOST_BEFORE_PORT: Final = r"(?:\[[^\] ]*\]|[^:]*)"
"""An address stands in brackets there."""
_FORMS: Final[dict[str, tuple[bytes, Kind, str]]] = {
    CLF: (b"]", "word", CLF),
    NUMBER: (b" :|\t", "decimal", ""),
    HOST_BEFORE_PORT: (b":", "word", r"(?!\[)[^:]*"),
}
"""Other forms of values: what cannot be in them, one of which ends them; how they are judged."""
_MORE: Final = "(?: .*)?$"
_OPEN: Final = re.compile(r"\(\?(?:P<(\w+)>|:)")
_SET: Final = re.compile(r"\[\^((?:\\.|[^\]\\-])+)\]([*+])")
_QUOTED: Final = re.compile(r'\(\?:\[\^"\\\\((?:\\.|[^\]\\-])*)\]\|\\\\\.\)\*')
_LITERAL: Final = re.compile(r"\\([^A-Za-z0-9])|([^\\()\[\]{}.*+?|^$])")


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
    steps[-1] = replace(steps[-1], marks=steps[-1].marks + b"\n")
    behind = [*(step.literal for step in steps[1:]), literal.encode() or b"\n"]
    if not literal.isascii() or not all(map(_ends_at, steps, behind)):
        return None
    return LineForm(steps=tuple(steps), last=literal.encode(), more=end == _MORE)


def _ends_at(step: ValueForm, literal: bytes) -> bool:
    """Whether the value of `step` ends where `literal` begins, since it cannot hold that."""
    return literal != b"" and literal[:1] in step.marks


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
        return _value(name, ends, escapes=True), quoted.end()
    found = _SET.match(pattern, place)
    if found is None:
        return None
    ends = _characters(found[1])
    return _value(name, ends, empty=found[2] == "*"), found.end()


def _other_at(pattern: str, place: int, name: str) -> tuple[ValueForm, int] | None:
    """A value of one of the other forms, or the rest of a line."""
    for form, (marks, kind, checked) in _FORMS.items():
        if pattern.startswith(form, place):
            step = ValueForm(literal=b"", name=name, kind=kind, marks=marks, pattern=checked)
            return step, place + len(form)
    if pattern.startswith(".*)$", place):
        return _value(name, b""), place + 2
    return None


def _value(name: str, marks: bytes, *, empty: bool = True, escapes: bool = False) -> ValueForm:
    kind: Kind = "text" if name else "passed"
    return ValueForm(literal=b"", name=name, kind=kind, marks=marks, empty=empty, escapes=escapes)


def _characters(text: str) -> bytes:
    return re.sub(r"\\(.)", r"\1", text).encode()
