"""Walks through all lines of a block at once, many bytes of each at a time.

A walk has a place in each line. It passes literals, which must stand in every line, and takes
values, which end before a mark. Whatever is not so in one line ends the walk with `OddLine`, and
somebody who reads line by line says which line it was. So a walk that came to the end of its lines
proves that each of them has this very form: every byte of a line was either compared or is part of
a value that does not hold the mark.

Numbers and texts are made of eight bytes at a time too, in machine words, the first byte lowest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from edge.batch.records import Array

Words = npt.NDArray[np.uint64]

_AT_ONCE: Final = 1 << 18
"""Bytes looked at at once for line ends: what is made of them stays in the processor's cache."""
_WALKED_BYTES: Final = 4 << 20
"""Bytes that are walked at once: what is made of them stays in the processor's cache."""
_LONG_LINE: Final = 16 << 10
"""Who walks a line of megabytes eight bytes at a time takes a step too many."""
_ONES: Final = np.uint64(0x0101010101010101)
_HIGHS: Final = np.uint64(0x8080808080808080)
_ZEROS: Final = np.uint64(0x3030303030303030)
_OVER_NINE: Final = np.uint64(0x7676767676767676)
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_MASKS: Final = np.array([(1 << 8 * count) - 1 for count in range(9)], dtype=np.uint64)
"""The first bytes of a word, by their number."""
_POWERS: Final = 10 ** np.arange(9, dtype=np.int64)
_INLINE: Final = 12
"""Bytes of a text that Arrow's views hold in themselves."""


class OddLine(ValueError):
    """Lines of another form than the others: those of `rows` (a mask), where that is known."""

    def __init__(self, why: str, rows: Array | None = None) -> None:
        super().__init__(why)
        self.rows = rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LineBounds:
    """Where whole lines of a block begin and end, how many tabs they hold, and which of them are
    odd: of other bytes than plain ASCII (control characters are such), or very long.
    """

    starts: Array
    ends: Array
    tabs: int
    odd: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """One value of each line: where it begins, how long it is, and its bytes.

    `pieces` are its words, one after the other: the rows that have such a word (None: all), and
    the words, zero behind the value's end. No value holds a zero byte, so that equal words are
    equal values. Of a quoted value they are not there.
    """

    start: Array
    length: Array
    pieces: tuple[tuple[Array | None, Words], ...]

    def hashed(self) -> Words:
        """A hash of each value."""
        found = self.pieces[0][1] * _MIX
        for rows, words in self.pieces[1:]:
            before = found if rows is None else found[rows]
            mixed = ((before ^ (before >> np.uint64(29))) + words) * _MIX
            if rows is None:
                found = mixed
            else:
                found[rows] = mixed
        return found

    def word(self, place: int) -> Words:
        """The word at `place` of each value, zero where it is behind its end."""
        if place >= len(self.pieces):
            return np.zeros(len(self.start), dtype=np.uint64)
        rows, words = self.pieces[place]
        if rows is None:
            return words
        found = np.zeros(len(self.start), dtype=np.uint64)
        found[rows] = words
        return found


class Walk:
    """A place in each line of `block` from `starts` to `ends`; they are plain ASCII."""

    def __init__(self, block: bytes, starts: Array, ends: Array) -> None:
        if len(block) < 8 or not len(ends):
            raise OddLine("no line")
        self._block = block
        self._words: Words = np.ndarray((len(block) - 7,), "<u8", block, 0, (1,))
        self._bytes = np.frombuffer(block, dtype=np.uint8)
        self._starts, self.ends = starts, ends
        self._quotes: Array | None = None
        self.at: Array = starts

    def __len__(self) -> int:
        return len(self.ends)

    def require(self, literal: bytes) -> None:
        """Pass `literal`, which stands in every line."""
        for offset in range(0, len(literal), 8):
            found = self._words_at(self.at + offset if offset else self.at)
            part = literal[offset : offset + 8]
            if len(part) < 8:
                found &= _MASKS[len(part)]
            other = found != np.uint64(int.from_bytes(part, "little"))
            if other.any():
                raise OddLine(f"no {literal!r} in a line", other)
        self.at = self.at + len(literal)

    def take(self, marks: bytes) -> Values:
        """The value up to the next of `marks`, in every line; the walk stops before it."""
        wanted = [np.uint64(mark) * _ONES for mark in marks]
        places = start = self.at
        length = np.zeros(len(self), dtype=np.int64)
        rows: Array | None = None
        pieces: list[tuple[Array | None, Words]] = []
        while True:
            found, size = _up_to(self._words_at(places), wanted)
            pieces.append((rows, found))
            if rows is None:
                length += size
            else:
                length[rows] += size
            whole = size == 8
            if not whole.all():
                going = np.flatnonzero(whole)
                if not len(going):
                    break
                rows = going if rows is None else rows[going]
                places = places[going]
            places = places + 8
            if int(places.max()) >= len(self._block):
                endless = places >= len(self._block)
                raise OddLine("a value without an end", self._mask(rows, endless))
        self.at = start + length
        return Values(start=start, length=length, pieces=tuple(pieces))

    def _mask(self, rows: Array | None, those: Array) -> Array:
        """Which lines `those` of `rows` (None: all) are."""
        if rows is None:
            return those
        found = np.zeros(len(self), dtype=np.bool_)
        found[rows[those]] = True
        return found

    def _words_at(self, places: Array) -> Words:
        """The word at each of `places`, with zeros for what is behind the block."""
        last = len(self._words) - 1
        if int(places.max()) <= last:
            found: Words = self._words[places]
        else:
            beyond = np.maximum(places - last, 0).astype(np.uint64)
            found = self._words[np.minimum(places, last)] >> (beyond * np.uint64(8))
        return found

    def take_quoted(self) -> Values:
        """The same up to the next quotation mark: at once, where all lines have as many of them."""
        if self._quotes is None:
            self._quotes = self._every(ord('"'))
        for place in range(self._quotes.shape[1]):
            ahead = self._quotes[:, place] >= self.at
            if ahead.all():
                start, self.at = self.at, self._quotes[:, place]
                return Values(start=start, length=self.at - start, pieces=())
            if ahead.any():
                break
        return self.take(b'"')

    def _every(self, mark: int) -> Array:
        """Where each line has its marks, one row each; no column if they differ in number."""
        begin, end = int(self._starts[0]), int(self.ends[-1])
        found = np.flatnonzero(self._bytes[begin:end] == mark) + begin
        many, rest = divmod(len(found), len(self))
        rows = found[: many * len(self)].reshape(len(self), many)
        if (
            rest
            or not many
            or (rows[:, -1] >= self.ends).any()
            or (rows[:, 0] < self._starts).any()
        ):
            return rows[:, :0]
        return rows

    def end(self, more: bytes = b"") -> None:
        """Every line must have ended here; or go on with `more`, one byte, and anything."""
        ended = self.at == self.ends
        if more:
            ended |= (self.at < self.ends) & (
                self._bytes[np.minimum(self.at, self.ends)] == ord(more)
            )
        if not ended.all():
            raise OddLine("a line with more or fewer values", ~ended)

    @property
    def has_backslashes(self) -> bool:
        """Whether a line holds a backslash."""
        return self._block.find(b"\\", int(self._starts[0]), int(self.ends[-1])) >= 0

    def last_of(self, values: Values) -> Array:
        """The last byte of each value, or the one before an empty one."""
        found: Array = self._bytes[np.maximum(values.start + values.length - 1, 0)]
        return found

    def texts(self, values: Values) -> tuple[list[str], Array]:
        """(distinct texts, the place of each line's among them)."""
        hashed = pa.py_buffer(values.hashed().data)
        encoded = pa.Array.from_buffers(pa.uint64(), len(self), [None, hashed]).dictionary_encode()
        index: Array = encoded.indices.to_numpy()
        owner = np.zeros(len(encoded.dictionary), dtype=np.int64)
        owner[index[::-1]] = np.arange(len(index) - 1, -1, -1)  # the first of each hash
        for place in range(len(values.pieces)):
            words = values.word(place)
            if not np.array_equal(words, words[owner][index]):
                raise OddLine("two values of one hash: somebody made them so")
        starts, lengths = values.start[owner].tolist(), values.length[owner].tolist()
        spelt = [
            self._block[start : start + length]
            for start, length in zip(starts, lengths, strict=True)
        ]
        if not all(map(bytes.isascii, spelt)):
            odd = np.array([not each.isascii() for each in spelt])
            raise OddLine("a value that is not ASCII", odd[index])
        return [each.decode("ascii") for each in spelt], index

    def series(self, values: Values) -> pl.Series:
        """The values as a column of text, which holds on to the block."""
        views = np.empty((len(self), 2), dtype=np.uint64)
        length = values.length
        first = values.word(0) if values.pieces else self._words_at(values.start)
        # Behind a short value there may be others: Arrow wants zeros.
        first = first & _MASKS[np.minimum(length, 8)]
        views[:, 0] = length.astype(np.uint64) | (first << np.uint64(32))
        views[:, 1] = values.start.astype(np.uint64) << np.uint64(32)
        short = length <= _INLINE
        if short.any():
            second = values.word(1)
            if not values.pieces:
                second = self._words_at(values.start + 8) & _MASKS[np.clip(length - 8, 0, 8)]
            inline = (first >> np.uint64(32)) | (second << np.uint64(32))
            views[:, 1] = np.where(short, inline, views[:, 1])
        buffers = [None, pa.py_buffer(views.data), pa.py_buffer(self._block)]
        return pl.Series(pa.Array.from_buffers(pa.string_view(), len(self), buffers))


def pieces_of(block: bytes) -> Iterator[tuple[int, int]]:
    """Where pieces of whole lines of `block` begin and end."""
    begin = 0
    while len(block) - begin > _WALKED_BYTES * 5 // 4:
        end = block.find(b"\n", begin + _WALKED_BYTES) + 1 or len(block)
        yield begin, end
        begin = end
    yield begin, len(block)


def numbers(values: Values) -> Array:
    """Whole numbers of 1 to 16 digits. Raises OddLine for anything else."""
    length = values.length
    if int(length.min()) < 1 or int(length.max()) > 16:
        raise OddLine("no number of 1 to 16 digits")
    found = _digits(values.word(0), np.minimum(length, 8))
    if len(values.pieces) > 1:
        rows, words = values.pieces[1]
        rows = np.arange(len(length)) if rows is None else rows
        more = length[rows] - 8
        found[rows] = found[rows] * _POWERS[more] + _digits(words, more)
    return found


def milliseconds(values: Values) -> Array:
    """Seconds with three decimals, as `1772359200.123`, in ms. Raises OddLine for others."""
    if (values.length != len("1772359200.123")).any():
        raise OddLine("a time of another form")
    rest = values.word(1)
    if ((rest >> np.uint64(16)) & np.uint64(0xFF) != ord(".")).any():
        raise OddLine("a time of another form")
    # The two digits before the point and the three behind it, as if there were none.
    five = (rest & _MASKS[2]) | ((rest >> np.uint64(8)) & (_MASKS[5] ^ _MASKS[2]))
    return _digits(values.word(0), 8) * 10**5 + _digits(five, 5)


def _up_to(words: Words, wanted: list[np.uint64]) -> tuple[Words, Array]:
    """(the bytes of each word before its first mark, how many they are)."""
    held: Words | None = None
    for mark in wanted:
        other = words ^ mark
        # Right up to the first such mark, and no further.
        here = (other - _ONES) & ~other & _HIGHS
        held = here if held is None else held | here
    assert held is not None, "a value ends somewhere"
    size = np.bitwise_count((held & (~held + np.uint64(1))) - np.uint64(1)) >> 3
    return words & _MASKS.take(size, mode="clip"), size


def _digits(words: Words, size: Array | int) -> Array:
    """The number that the first `size` bytes of each word are. Raises OddLine for others."""
    shift = np.asarray(64 - 8 * size).astype(np.uint64)
    # Without their high halves digits are 0 to 9; behind zeros each has its decimal place.
    found = (words ^ (_ZEROS & _MASKS[size])) << shift
    if (((found + _OVER_NINE) | found) & _HIGHS).any():
        raise OddLine("a number with other characters")
    found = (found * np.uint64(2561)) >> np.uint64(8) & np.uint64(0x00FF00FF00FF00FF)
    found = (found * np.uint64(6553601)) >> np.uint64(16) & np.uint64(0x0000FFFF0000FFFF)
    return ((found * np.uint64(42949672960001)) >> np.uint64(32)).astype(np.int64)


def bounds_of(block: bytes, begin: int, end: int) -> LineBounds:
    """The lines of `block` there. Raises OddLine where the last has no end."""
    if not block.endswith(b"\n", begin, end):
        raise OddLine("a last line without an end")
    data = np.frombuffer(block, dtype=np.uint8)
    found: list[Array] = []
    strange: list[Array] = []
    tabs = 0
    for place in range(begin, end, _AT_ONCE):
        part = data[place : min(place + _AT_ONCE, end)]
        ends = np.flatnonzero(part == ord("\n"))
        found.append(ends + place)
        # Below the blank they wrap around, and are as large as what is above ASCII.
        other = (part - np.uint8(ord(" "))) > np.uint8(0x7F - ord(" "))
        others = int(np.count_nonzero(other)) - len(ends)
        if others:
            tab = part == ord("\t")
            here = int(np.count_nonzero(tab))
            tabs += here
            if others != here:
                strange.append(np.flatnonzero(other & ~tab & (part != ord("\n"))) + place)
    all_ends = np.concatenate(found)
    odd = np.zeros(len(all_ends), dtype=np.bool_)
    if strange:
        odd[np.searchsorted(all_ends, np.concatenate(strange))] = True
    starts = np.empty_like(all_ends)
    starts[0] = begin
    starts[1:] = all_ends[:-1] + 1
    odd |= all_ends - starts > _LONG_LINE
    return LineBounds(starts=starts, ends=all_ends, tabs=tabs, odd=odd)
