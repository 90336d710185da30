"""The parser of a mapping: lines cut into fields, fields judged as events."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

import polars as pl

from edge.logs.formats.block import Cutter, Parsed, Settled
from edge.logs.formats.delimited import DelimitedCutter
from edge.logs.formats.event_fields import EventFields, column, dotted
from edge.logs.formats.jsonlines import JsonCutter
from edge.logs.formats.judge_lines import judge_lines
from edge.logs.formats.log_format import compiled, variables_of
from edge.logs.formats.mapping import Mapping
from edge.logs.formats.nginx_tsv import unescape
from edge.logs.formats.text_lines import TextCutter, TextPattern, groups_of
from edge.reasons import Reason

Fast = Callable[[bytes, int], Parsed | None]
"""A faster way that reads a whole block as a mapping would, or answers None."""
_DECODERS: dict[str, Callable[[str], str] | None] = {
    "none": None,
    "backslash": unescape,
    "percent": unquote,
}


def _slow(_block: bytes, _now_ms: int) -> Parsed | None:
    return None


class MappedParser:
    """Reads the blocks of one file by a `Mapping` that is complete."""

    def __init__(
        self, mapping: Mapping, *, name: str = "", doubt: bool = False, fast: Fast = _slow
    ) -> None:
        """`name`: the file's. `doubt`: say which optional fields the first lines lack: a name may
        be misspelt.
        """
        self.mapping = mapping
        self._fast = fast
        self._doubted = not doubt
        self._notes = [mapping.note] if mapping.note else []
        self._cutter = cutter_of(mapping)
        self._fields = EventFields(mapping, fields_of_name(mapping, name))
        self._decode = _DECODERS[mapping.escapes]

    def recall(self, directives: list[bytes]) -> None:
        """Take the directive lines of what was read before."""
        self._cutter.recall(directives)

    def parse(self, block: bytes, now_ms: int) -> Parsed:
        """The events of `block`; see `Parser`."""
        found = self._fast(block, now_ms)
        if found is not None:
            return found
        settled = Settled()
        raw = self._cutter.cut(block, settled)
        if self.mapping.only or self.mapping.except_ or self.mapping.no_request:
            self._leave_out(raw, settled)
        parsed = judge_lines(
            self._fields.judged(raw),
            now_ms,
            settled,
            decode_host=self._decode,
            fields=self._fields.named,
        )
        notes = [*settled.notes, *self._first_notes(raw, len(parsed.rows))]
        return replace(parsed, notes=tuple(notes)) if notes else parsed

    def might_read(self, block: bytes) -> bool:
        """Whether the first lines of `block` could be events; cheap."""
        mapping = self.mapping
        if isinstance(self._cutter, TextCutter):
            return self._cutter.fits_any(block)
        if mapping.w3c:
            return b"#Fields" in block
        if mapping.columns is not None:
            return mapping.columns.separator.encode() in block
        return all(
            any(name.rpartition(".")[2].encode() in block for name in names)
            for names in mapping.needed()
        )

    def known_fields(self) -> tuple[str, ...] | None:
        """The fields that lines of this format have; None where each line says so itself."""
        mapping = self.mapping
        if mapping.log_format is not None:
            return variables_of(mapping.log_format)
        if mapping.pattern is not None:
            return groups_of(mapping.pattern)
        if isinstance(self._cutter, DelimitedCutter):
            return tuple(self._cutter.fields)
        return None

    def used_fields(self) -> frozenset[str]:
        """The fields that the mapping reads."""
        return frozenset(map(dotted, self.mapping.fields()))

    def _first_notes(self, raw: pl.DataFrame, events: int) -> list[str]:
        """What is to be said when the first events are seen."""
        notes: list[str] = []
        if events:
            notes, self._notes = self._notes, []
            if not self._doubted:
                self._doubted = True
                notes += self._fields.lacking(raw, events)
        return notes

    def _leave_out(self, raw: pl.DataFrame, settled: Settled) -> None:
        """Settle lines that are no requests."""
        others, silent = self._fields.left_out(raw)
        for row in others.arg_true().to_list():
            settled.refuse(row, Reason.NOT_ACCESS)
        for row in silent.arg_true().to_list():
            settled.refuse(row, Reason.NOT_HTTP)


def cutter_of(mapping: Mapping) -> Cutter:
    """What cuts the lines of `mapping` into its fields. Raises ValueError for a pattern that does
    not hold them.
    """
    paths = mapping.fields()
    names = {dotted(path): column(path) for path in paths}
    if mapping.log_format is not None:
        groups = {name: f"g{number}" for number, name in enumerate(names)}
        text = compiled(mapping.log_format, groups, more=mapping.more)
        columns = {group: names[name] for name, group in groups.items()}
        return TextCutter(text.behind_prefix() if mapping.after_prefix else text, columns)
    if mapping.pattern is not None:
        text = TextPattern(pattern=mapping.pattern)
        return TextCutter(text.behind_prefix() if mapping.after_prefix else text, names)
    if mapping.columns is not None or mapping.w3c:
        return DelimitedCutter(mapping.columns, names, mapping.needed())
    return JsonCutter(paths, after_prefix=mapping.after_prefix)


def fields_of_name(mapping: Mapping, name: str) -> dict[str, str | None]:
    """What a file called `name` says of its lines: None where the name has another form."""
    if mapping.file_name is None:
        return {}
    pattern = re.compile(mapping.file_name)
    found = pattern.search(name)
    return {key: found[key] if found else None for key in pattern.groupindex}
