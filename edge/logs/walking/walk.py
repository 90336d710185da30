"""Walks through the lines of a block by a compiled program (program.py), and what it found there.

A walk that came to the end of a line proves that the line has its form; lines of another form are
odd, and somebody who reads line by line says what they are.
"""

from __future__ import annotations

import atexit
import re
import secrets
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from edge.batch.records import Array
from edge.logs.walking import program
from edge.logs.walking.program import LINES, TEXT_AT, TEXT_BYTES, WIDTHS, LineForm
from edge.terminal import warn

if TYPE_CHECKING:
    import wasmtime

Words = npt.NDArray[np.uint64]

WORTH_BYTES = 1 << 20
"""Once so much was read: to load the compiler and compile costs as much as reading some of it."""
_read_bytes = 0
_refused = ""
"""Why this machine runs no program; blank: it does, or was not asked."""
_STATE_AT: Final = np.array((program.WORDS_HELD_AT, program.SPELT_HELD_AT, program.ENDED_AT)) // 4
_WORD: Final = np.dtype([("column", "<i4"), ("size", "<i4"), ("begin", "<i4"), ("none", "<i4")])
_TYPES: Final = {"word": "<i4", "number": "<i8", "seconds": "<i8"}


class OddLine(ValueError):
    """Lines of another form, or a block that is not worth a walk."""


def walked(form: LineForm, block: bytes) -> Walked:
    """What the lines of `block` hold. Raises OddLine where they are to be read another way."""
    global _read_bytes
    _read_bytes += len(block)
    if _read_bytes < WORTH_BYTES:
        raise OddLine("too little to compile a program for it")
    if not block.endswith(b"\n"):
        raise OddLine("a last line without an end")
    idle = _idle(form)
    try:
        walker = idle.pop()
    except IndexError:
        walker = _walker(form)
    found = walker.walk(block)
    idle.append(walker)
    return found


def _walker(form: LineForm) -> _Walker:
    """A new walker. Raises OddLine where this machine has no compiler, or runs nothing compiled:
    what is written may not be executed, or there is no room for four GB of addresses.
    """
    global _refused
    if _refused:
        raise OddLine(_refused)
    try:
        import wasmtime

        try:
            return _Walker(form)
        except wasmtime.WasmtimeError as error:
            _refused = repr(error)
    except (ImportError, OSError, RuntimeError) as error:
        _refused = repr(error)
    warn(
        "lines are read one by one, exactly but slowly: this machine runs no compiled program"
        f" ({_refused[:120]}). Under systemd MemoryDenyWriteExecute=no allows it, and a"
        " limit of addresses (ulimit -v) takes 5 GB or more"
    )
    raise OddLine(_refused)


@lru_cache(maxsize=16)
def _idle(form: LineForm) -> list[_Walker]:
    """The walkers of a form that nobody uses; each thread that walks takes one."""
    return []


@lru_cache(maxsize=16)
def _compiled(form: LineForm) -> wasmtime.Module:
    import wasmtime

    return wasmtime.Module(_engine(), form.program())


@lru_cache(maxsize=1)
def _engine() -> wasmtime.Engine:
    import wasmtime

    atexit.register(_forget)  # before the library's own parts go
    config = wasmtime.Config()
    config.parallel_compilation = False  # threads do not outlive a fork
    return wasmtime.Engine(config)


def _forget() -> None:
    for kept in (_idle, _compiled, _engine):
        kept.cache_clear()


class _Walker:
    """A program with its memory; for one thread at a time."""

    def __init__(self, form: LineForm) -> None:
        import wasmtime

        module = _compiled(form)
        self._form = form
        self._store = wasmtime.Store(_engine())
        exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        memory, walk = exports["memory"], exports["walk"]
        assert isinstance(memory, wasmtime.Memory), "the module says so"
        assert isinstance(walk, wasmtime.Func), "the module says so"
        self._program = walk
        self._memory: Array = np.ctypeslib.as_array(memory.get_buffer_ptr(self._store))
        self._state = self._memory[: program.MASKS_AT].view("<i4")
        seed = self._memory[program.SEED_AT : program.SEED_AT + 16].view("<u8")
        seed[:] = [secrets.randbits(64) | 1, secrets.randbits(64) | 1]
        masks = self._memory[program.MASKS_AT : TEXT_AT].reshape(17, 16)
        masks[:] = np.tri(17, 16, -1, dtype=np.uint8) * np.uint8(255)

    def walk(self, block: bytes) -> Walked:
        """What the lines of `block`, which has an end, hold."""
        self._state[_STATE_AT] = 0
        self._at(program.SLOTS_AT, program.SLOTS, "<i4")[:] = 0
        data = np.frombuffer(block, dtype=np.uint8)
        parts: list[list[Array]] = []
        begin = row = 0
        while begin < len(block):
            if row == LINES:
                parts.append(self._columns(row))
                row = 0
            end = block.rfind(b"\n", begin, begin + TEXT_BYTES) + 1
            if end:
                self._memory[TEXT_AT : TEXT_AT + end - begin] = data[begin:end]
                row = self._program(self._store, TEXT_AT + end - begin, begin, row)
                begin += int(self._state[program.ENDED_AT // 4]) - TEXT_AT
            else:  # one line beyond all measure
                begin = block.find(b"\n", begin) + 1
                self._memory[program.ODD_AT + row] = 1
                row += 1
        parts.append(self._columns(row))
        odd, *columns = (
            part[0] if len(part) == 1 else np.concatenate(part) for part in zip(*parts, strict=True)
        )
        return Walked(self._form, block, odd, columns, self._words())

    def _at(self, place: int, count: int, kind: str) -> Array:
        return self._memory[place : place + count * np.dtype(kind).itemsize].view(kind)

    def _columns(self, rows: int) -> list[Array]:
        """Copies of the columns: which lines are odd, then two for each step."""
        found = [self._at(program.ODD_AT, rows, "?").copy()]
        for number, step in enumerate(self._form.steps):
            place = self._form.column_at(number)
            kind = _TYPES.get(step.kind)
            if kind is None:
                views = self._at(place, rows if WIDTHS[step.kind] else 0, "<u8,<u8")
                found.append(views.copy())
            else:
                found.append(self._at(place, rows, kind).copy())
            hashes = rows if step.kind == "id" else 0
            found.append(self._at(place + 16 * LINES, hashes, "<u8").copy())
        return found

    def _words(self) -> tuple[Array, list[str]]:
        """(the step, the text) of each distinct word."""
        count, size = self._state[:2].tolist()
        words = self._at(program.WORDS_AT, count, "<i4,<i4,<i4,<i4").view(_WORD)
        spelt = str(self._at(program.SPELT_AT, size, "u1").data, "ascii")
        begins = words["begin"] - program.SPELT_AT
        spans = zip(begins.tolist(), (begins + words["size"]).tolist(), strict=True)
        return words["column"].copy(), [spelt[begin:end] for begin, end in spans]


class Walked:
    """What the lines of a block hold that have the form, in order; `odd` says which have not."""

    def __init__(
        self,
        form: LineForm,
        block: bytes,
        odd: Array,
        columns: list[Array],
        words: tuple[Array, list[str]],
    ) -> None:
        self._block = block
        self._columns = columns
        self._number = {step.name: number for number, step in enumerate(form.steps) if step.name}
        self._owners, self._spelt = words
        self.odd = odd
        for number, step in enumerate(form.steps):
            if step.pattern:
                self._refuse(number, re.compile(step.pattern))
        self._kept = np.flatnonzero(~odd) if odd.any() else None

    def __contains__(self, name: str) -> bool:
        return name in self._number

    def __len__(self) -> int:
        return len(self.odd) if self._kept is None else len(self._kept)

    def _refuse(self, number: int, pattern: re.Pattern[str]) -> None:
        """Lines whose word of a step is another than `pattern` are odd."""
        words = np.flatnonzero(self._owners == number)
        bad = np.zeros(len(self._owners), dtype=np.bool_)
        bad[words] = [pattern.fullmatch(self._spelt[word]) is None for word in words.tolist()]
        if bad.any():
            self.odd |= bad[np.where(self.odd, 0, self._columns[2 * number])]

    def _column(self, name: str, beside: int = 0) -> Array:
        column = self._columns[2 * self._number[name] + beside]
        return column if self._kept is None else column[self._kept]

    def numbers(self, name: str) -> Array:
        """Whole numbers; of `seconds` ms."""
        return self._column(name)

    def hashes(self, name: str) -> Words:
        """A hash of each text of an `id`: equal texts have equal ones."""
        return self._column(name, 1)

    def looked_up(self, name: str, value_of: Callable[[str], int]) -> Array:
        """`value_of` each line's word, worked out once for each distinct one."""
        words = np.flatnonzero(self._owners == self._number[name])
        found = np.zeros(len(self._owners), dtype=np.int32)
        found[words] = [value_of(self._spelt[word]) for word in words.tolist()]
        return found[self._column(name)]

    def series(self, name: str) -> pl.Series:
        """The texts or words as a column, which may hold on to the block."""
        values = self._column(name)
        if values.dtype == np.int32:
            return pl.Series(self._spelt, dtype=pl.String).gather(values)
        buffers = [None, pa.py_buffer(values.data), pa.py_buffer(self._block)]
        return pl.Series(pa.Array.from_buffers(pa.string_view(), len(values), buffers))
