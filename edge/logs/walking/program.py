"""A form of line as a WebAssembly program that walks through lines of it, sixteen bytes at a time.

What it reads and writes lies in its own memory, which it cannot leave, whatever a line holds:

    TEXT      the lines, each with its end
    ODD       one byte a line: 1 where it has another form
    columns   one for each value that somebody wants, by the kind of value
    SLOTS     where a word of a hash stands in WORDS, plus 1; open addressing
    WORDS     distinct words: hash, column, size, and where its bytes stand in SPELT
    SPELT     the bytes of the words, one after the other

A program passes literals, compared byte by byte, and takes values, which end before one of their
marks or before any byte that is not printable ASCII. So a line that it came to the end of has this
very form: each of its bytes was either compared or is part of a value that holds no mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["passed", "word", "number", "seconds", "decimal", "text", "id"]
"""What becomes of a value: nothing; its place among the distinct words; a whole number of 1 to 16
digits; seconds with three decimals, as ms; a view of its text, which for a `decimal` is digits with
a point or `-`, and for an `id` comes with a hash."""
WIDTHS: Final[dict[Kind, int]] = {
    "passed": 0,
    "word": 4,
    "number": 8,
    "seconds": 8,
    "decimal": 16,
    "text": 16,
    "id": 24,
}
"""Bytes of a column for each line."""

TEXT_BYTES: Final = 1 << 20
LINES: Final = 1 << 16
"""How much of a text one call can take, and how many lines there is room for."""
LONG_LINE: Final = 64 << 10
"""A longer line is odd."""
SLOTS: Final = 1 << 18
WORDS: Final = 1 << 17
WORD_BYTES: Final = 16
SPELT_BYTES: Final = 8 << 20
_PROBES: Final = 64
"""Whoever finds texts that share so many places spends no more of our time with them."""
_PAGE: Final = 1 << 16

MASKS_AT: Final = 64
TEXT_AT: Final = MASKS_AT + 17 * 16
"""Before it: words held, bytes of SPELT held, and the seed of the hash (see STATE)."""
WORDS_HELD_AT, SPELT_HELD_AT, ENDED_AT, SEED_AT = 0, 4, 8, 16
ODD_AT: Final = TEXT_AT + TEXT_BYTES + 64
SLOTS_AT: Final = ODD_AT + LINES
WORDS_AT: Final = SLOTS_AT + 4 * SLOTS
SPELT_AT: Final = WORDS_AT + WORD_BYTES * WORDS
COLUMNS_AT: Final = SPELT_AT + SPELT_BYTES + 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueForm:
    """A literal, and the value behind it: called `name` if somebody wants it.

    It ends before the first of `marks`, and one of them stands there. `empty`: whether it may be.
    `pattern`: what each distinct word must be. `escapes`: a backslash at its end would go on.
    """

    literal: bytes
    name: str = ""
    kind: Kind = "passed"
    marks: bytes = b""
    empty: bool = True
    pattern: str = ""
    escapes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineForm:
    """The steps of a line and the literal at its end; `more`: a blank and anything may follow."""

    steps: tuple[ValueForm, ...]
    last: bytes
    more: bool = False

    def column_at(self, step: int) -> int:
        """Where the column of a step begins in the memory."""
        return COLUMNS_AT + LINES * sum(WIDTHS[each.kind] for each in self.steps[:step])

    @property
    def pages(self) -> int:
        """How much memory a program of this form needs, in pages of 64 KiB."""
        return -(-self.column_at(len(self.steps)) // _PAGE)

    def program(self) -> str:
        """The module as text: memory `memory`; `walk(end, base, row)` takes the text up to `end`,
        which begins at `base` of a block, and gives the row behind its last line (ENDED_AT: how far
        it came).
        """
        steps = "".join(self._step(number) for number in range(len(self.steps)))
        ending = _literal(self.last)
        if self.more:
            ending += _IF_MORE
        return _MODULE.format(pages=self.pages, steps=steps, ending=ending)

    def _step(self, number: int) -> str:
        step, column = self.steps[number], self.column_at(number)
        text = _literal(step.literal)
        if step.kind in _NUMBERS:
            return text + _NUMBERS[step.kind].format(column=column)
        text += _TAKE.format(stops=_stops(step.marks))
        if not step.empty:
            text += "(br_if $odd (i32.eqz (local.get $size)))\n"
        if step.escapes:
            text += _ESCAPED
        if step.kind == "word":
            text += _WORD_TAKEN.format(column=column, number=number)
        elif step.kind != "passed":
            places = {f"column{offset}": column + offset for offset in (0, 4, 8, 12)}
            text += (_DECIMAL if step.kind == "decimal" else "") + _VIEWED.format(**places)
            if step.kind == "id":
                text += _HASHED.format(column=column + 16 * LINES)
        return text + "(local.set $at (local.get $stop))\n"


def _literal(literal: bytes) -> str:
    """Pass `literal`, or the line is odd."""
    if not literal:
        return ""
    size = next(size for size in (8, 4, 2, 1) if len(literal) >= size)
    kind, load = _LOADS[size]
    # The last part overlaps the one before it.
    places = [*range(0, len(literal) - size, size), len(literal) - size]
    others = [
        f"({kind}.xor ({load} offset={place} (local.get $at)) ({kind}.const"
        f" {int.from_bytes(literal[place : place + size], 'little')}))"
        for place in places
    ]
    found = others[0]
    for other in others[1:]:
        found = f"({kind}.or {found} {other})"
    return (
        f"(br_if $odd ({kind}.ne {found} ({kind}.const 0)))\n"
        f"(local.set $at (i32.add (local.get $at) (i32.const {len(literal)})))\n"
    )


_LOADS: Final = {
    8: ("i64", "i64.load"),
    4: ("i32", "i32.load"),
    2: ("i32", "i32.load16_u"),
    1: ("i32", "i32.load8_u"),
}
"""The type of a number of so many bytes, and what loads it."""


def _stops(marks: bytes) -> str:
    """Which of the sixteen bytes in $v end a value."""
    stops = _NOT_PRINTABLE
    for mark in marks:
        stops = f"(v128.or {stops} (i8x16.eq (local.get $v) (v128.const i8x16{f' {mark}' * 16})))"
    return stops


_NOT_PRINTABLE: Final = (
    f"(i8x16.gt_u (i8x16.sub (local.get $v) (v128.const i8x16{' 32' * 16}))"
    f" (v128.const i8x16{' 95' * 16}))"
)
_TAKE: Final = """
(local.set $stop (local.get $at))
(loop $on
  (local.set $v (v128.load (local.get $stop)))
  (local.set $bits (i8x16.bitmask {stops}))
  (if (i32.eqz (local.get $bits)) (then
    (local.set $stop (i32.add (local.get $stop) (i32.const 16)))
    (br $on))))
(local.set $stop (i32.add (local.get $stop) (i32.ctz (local.get $bits))))
(local.set $size (i32.sub (local.get $stop) (local.get $at)))
"""
_ESCAPED: Final = """
(br_if $odd (i32.and
  (i32.ne (local.get $size) (i32.const 0))
  (i32.eq (i32.load8_u (i32.sub (local.get $stop) (i32.const 1))) (i32.const 92))))
"""
_WORD_TAKEN: Final = """
(local.set $place (call $word (local.get $at) (local.get $size) (i32.const {number})))
(br_if $odd (i32.lt_s (local.get $place) (i32.const 0)))
(i32.store offset={column} (i32.shl (local.get $row) (i32.const 2)) (local.get $place))
"""
_MASKED: Final = f"""(v128.and (v128.load (local.get $at))
      (v128.load offset={MASKS_AT} (i32.shl
        (select (local.get $size) (i32.const 16) (i32.lt_s (local.get $size) (i32.const 16)))
        (i32.const 4))))"""
_VIEWED: Final = f"""
(local.set $place (i32.shl (local.get $row) (i32.const 4)))
(local.set $v {_MASKED})
(i32.store offset={{column0}} (local.get $place) (local.get $size))
(i64.store offset={{column4}} (local.get $place) (i64x2.extract_lane 0 (local.get $v)))
(if (i32.gt_u (local.get $size) (i32.const 12))
  (then
    (i32.store offset={{column8}} (local.get $place) (i32.const 0))
    (i32.store offset={{column12}} (local.get $place)
      (i32.add (local.get $base) (i32.sub (local.get $at) (i32.const {TEXT_AT})))))
  (else
    (i32.store offset={{column12}} (local.get $place) (i32x4.extract_lane 2 (local.get $v)))))
"""
_HASHED: Final = """
(i64.store offset={column} (i32.shl (local.get $row) (i32.const 3))
  (call $hash (local.get $at) (local.get $size) (i64.extend_i32_u (local.get $size))))
"""
_DIGITS: Final = """
(local.set $number (i64.const 0))
(local.set $stop (local.get $at))
(block $ended (loop $on
  (br_if $ended (i32.gt_u
    (local.tee $digit (i32.sub (i32.load8_u (local.get $stop)) (i32.const 48)))
    (i32.const 9)))
  (local.set $number (i64.add
    (i64.mul (local.get $number) (i64.const 10)) (i64.extend_i32_u (local.get $digit))))
  (local.set $stop (i32.add (local.get $stop) (i32.const 1)))
  (br $on)))
(local.set $size (i32.sub (local.get $stop) (local.get $at)))
(local.set $at (local.get $stop))
"""
_NUMBERS: Final[dict[Kind, str]] = {
    "number": _DIGITS
    + """
(br_if $odd (i32.gt_u (i32.sub (local.get $size) (i32.const 1)) (i32.const 15)))
(i64.store offset={column} (i32.shl (local.get $row) (i32.const 3)) (local.get $number))
""",
    "seconds": _DIGITS
    + """
(br_if $odd (i32.ne (local.get $size) (i32.const 10)))
(br_if $odd (i32.ne (i32.load8_u (local.get $at)) (i32.const 46)))
(local.set $at (i32.add (local.get $at) (i32.const 1)))
(local.set $whole (i64.mul (local.get $number) (i64.const 1000)))
"""
    + _DIGITS
    + """
(br_if $odd (i32.ne (local.get $size) (i32.const 3)))
(i64.store offset={column} (i32.shl (local.get $row) (i32.const 3))
  (i64.add (local.get $whole) (local.get $number)))
""",
}
_DECIMAL: Final = """
(local.set $point (i32.const 0))
(local.set $place (local.get $at))
(block $fits
  (br_if $fits (i32.and (i32.eq (local.get $size) (i32.const 1))
    (i32.eq (i32.load8_u (local.get $at)) (i32.const 45))))
  (br_if $odd (i32.eqz (local.get $size)))
  (loop $on
    (if (i32.gt_u (i32.sub (i32.load8_u (local.get $place)) (i32.const 48)) (i32.const 9)) (then
      ;; The one point, with a digit before it and behind it.
      (br_if $odd (i32.ne (i32.load8_u (local.get $place)) (i32.const 46)))
      (br_if $odd (local.get $point))
      (br_if $odd (i32.eq (local.get $place) (local.get $at)))
      (br_if $odd (i32.eq (i32.add (local.get $place) (i32.const 1)) (local.get $stop)))
      (local.set $point (i32.const 1))))
    (br_if $on (i32.lt_u
      (local.tee $place (i32.add (local.get $place) (i32.const 1))) (local.get $stop)))))
"""
_IF_MORE: Final = f"""
(if (i32.eq (i32.load8_u (local.get $at)) (i32.const 32)) (then
{_TAKE.format(stops=_NOT_PRINTABLE)}
(local.set $at (local.get $stop))))
"""
_HASH: Final = f"""
(func $hash (param $at i32) (param $size i32) (param $found i64) (result i64)
  (local $v v128)
  (loop $on
    (local.set $v {_MASKED})
    (local.set $found (i64.mul
      (i64.xor (local.get $found) (i64x2.extract_lane 0 (local.get $v)))
      (i64.load offset={SEED_AT} (i32.const 0))))
    (local.set $found (i64.mul
      (i64.xor (i64.add (local.get $found) (i64x2.extract_lane 1 (local.get $v)))
        (i64.shr_u (local.get $found) (i64.const 32)))
      (i64.load offset={SEED_AT + 8} (i32.const 0))))
    (local.set $at (i32.add (local.get $at) (i32.const 16)))
    (br_if $on (i32.gt_s
      (local.tee $size (i32.sub (local.get $size) (i32.const 16))) (i32.const 0))))
  (i64.xor (local.get $found) (i64.shr_u (local.get $found) (i64.const 32))))
"""
_WORD: Final = f"""
(func $same (param $at i32) (param $other i32) (param $size i32) (result i32)
  ;; Whether the bytes here and in SPELT, where zeros follow or other words, are the same.
  (loop $on
    (if (v128.any_true (v128.xor {_MASKED}
          (v128.and (v128.load (local.get $other))
            (v128.load offset={MASKS_AT} (i32.shl
              (select (local.get $size) (i32.const 16)
                (i32.lt_s (local.get $size) (i32.const 16)))
              (i32.const 4))))))
      (then (return (i32.const 0))))
    (local.set $at (i32.add (local.get $at) (i32.const 16)))
    (local.set $other (i32.add (local.get $other) (i32.const 16)))
    (br_if $on (i32.gt_s
      (local.tee $size (i32.sub (local.get $size) (i32.const 16))) (i32.const 0))))
  (i32.const 1))
(func $word (param $at i32) (param $size i32) (param $column i32) (result i32)
  ;; The place of a word of a column in WORDS; below 0 where there is no room for it.
  (local $slot i32) (local $entry i32) (local $place i32) (local $left i32)
  (local.set $slot (i32.and (i32.const {SLOTS - 1}) (i32.wrap_i64
    (call $hash (local.get $at) (local.get $size)
      (i64.extend_i32_u (i32.or (i32.shl (local.get $column) (i32.const 20))
        (local.get $size)))))))
  (local.set $left (i32.const {_PROBES}))
  (loop $on
    (local.set $place (i32.load offset={SLOTS_AT}
      (i32.shl (local.get $slot) (i32.const 2))))
    (if (local.get $place) (then
      (local.set $place (i32.sub (local.get $place) (i32.const 1)))
      (local.set $entry (i32.shl (local.get $place) (i32.const {WORD_BYTES.bit_length() - 1})))
      (if (i32.and
            (i32.eq (i32.load offset={WORDS_AT} (local.get $entry)) (local.get $column))
            (i32.eq (i32.load offset={WORDS_AT + 4} (local.get $entry)) (local.get $size)))
        (then (if (call $same (local.get $at)
              (i32.load offset={WORDS_AT + 8} (local.get $entry)) (local.get $size))
          (then (return (local.get $place))))))
      (local.set $slot (i32.and (i32.add (local.get $slot) (i32.const 1))
        (i32.const {SLOTS - 1})))
      (br_if $on (local.tee $left (i32.sub (local.get $left) (i32.const 1))))
      (return (i32.const -1)))))
  (local.set $place (i32.load offset={WORDS_HELD_AT} (i32.const 0)))
  (local.set $left (i32.load offset={SPELT_HELD_AT} (i32.const 0)))
  (if (i32.or (i32.ge_u (local.get $place) (i32.const {WORDS}))
        (i32.gt_u (i32.add (local.get $left) (local.get $size)) (i32.const {SPELT_BYTES})))
    (then (return (i32.const -1))))
  (local.set $entry (i32.shl (local.get $place) (i32.const {WORD_BYTES.bit_length() - 1})))
  (i32.store offset={WORDS_AT} (local.get $entry) (local.get $column))
  (i32.store offset={WORDS_AT + 4} (local.get $entry) (local.get $size))
  (i32.store offset={WORDS_AT + 8} (local.get $entry)
    (i32.add (i32.const {SPELT_AT}) (local.get $left)))
  (memory.copy (i32.add (i32.const {SPELT_AT}) (local.get $left))
    (local.get $at) (local.get $size))
  (i32.store offset={SPELT_HELD_AT} (i32.const 0)
    (i32.add (local.get $left) (local.get $size)))
  (i32.store offset={WORDS_HELD_AT} (i32.const 0)
    (i32.add (local.get $place) (i32.const 1)))
  (i32.store offset={SLOTS_AT} (i32.shl (local.get $slot) (i32.const 2))
    (i32.add (local.get $place) (i32.const 1)))
  (local.get $place))
"""
_MODULE: Final = f"""
(module
(memory (export "memory") {{pages}})
{_HASH}
{_WORD}
(func (export "walk") (param $end i32) (param $base i32) (param $row i32) (result i32)
  (local $at i32) (local $began i32) (local $stop i32) (local $size i32)
  (local $bits i32) (local $place i32) (local $digit i32) (local $point i32)
  (local $number i64) (local $whole i64) (local $v v128)
  (local.set $at (i32.const {TEXT_AT}))
  (block $full (loop $lines
    (br_if $full (i32.ge_u (local.get $at) (local.get $end)))
    (br_if $full (i32.ge_u (local.get $row) (i32.const {LINES})))
    (local.set $began (local.get $at))
    (block $passed
      (block $odd
        {{steps}}
        {{ending}}
        (br_if $odd (i32.ne (i32.load8_u (local.get $at)) (i32.const 10)))
        (br_if $odd (i32.gt_u (i32.sub (local.get $at) (local.get $began))
          (i32.const {LONG_LINE})))
        (i32.store8 offset={ODD_AT} (local.get $row) (i32.const 0))
        (br $passed))
      (i32.store8 offset={ODD_AT} (local.get $row) (i32.const 1))
      (local.set $at (local.get $began))
      (loop $on
        (local.set $v (v128.load (local.get $at)))
        (local.set $bits (i8x16.bitmask (i8x16.eq (local.get $v)
          (v128.const i8x16{" 10" * 16}))))
        (if (i32.eqz (local.get $bits)) (then
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br $on))))
      (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $bits)))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $row (i32.add (local.get $row) (i32.const 1)))
    (br $lines)))
  (i32.store offset={ENDED_AT} (i32.const 0) (local.get $at))
  (local.get $row))
)
"""
