"""JSON messages that are laid out alike, taken apart by columns and never one by one.

A producer writes every event with the same keys in the same order: all that differs are the values.
A layout is what stands between them, learnt from one message; it is looked for in all others. A
message of the layout is that text to the byte, with plain texts (printable ASCII, no escape) and
plain numbers (at most 16 digits) between, so it is JSON, and says what a parser would find in it.
Any other message is nobody's here: it goes to json_parse, which judges it by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from edge.batch.records import Array

TEXTS: Final = frozenset(("source", "id", "domain", "scheme", "transport", "cache", "region"))
NUMBERS: Final = frozenset(("time", "status", "bytes_sent"))
OPTIONAL: Final = frozenset(("cache", "region"))
TEXT_BYTES_MAX: Final = 128
"""Longer texts are judged one by one."""
DIGITS_MAX: Final = 16
_LITERAL_MAX: Final = 64
_MARGIN: Final = 512
"""Bytes around all messages: places that only a message of another layout has lie in them."""
_PAIR: Final = re.compile(
    rb'[ \t\r\n]*"([a-z_]+)"[ \t\r\n]*:[ \t\r\n]*(?:"([^"\\]*)"|([0-9]+)|null)[ \t\r\n]*([,}])'
)

Word = np.uint64


def _each(octet: int) -> Word:
    """A word of eight times `octet`."""
    return Word(octet * 0x0101010101010101)


_HIGH, _SPACE, _ONE, _ESCAPE, _ZERO = map(_each, (0x80, 0x20, 0x01, 0x5C, 0x30))
_LOW_BYTES: Final = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=Word)
"""A mask of the first n bytes of a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`literals` stand before, between and behind the values of `fields`."""

    literals: tuple[bytes, ...]
    fields: tuple[str, ...]


def layout_of(value: bytes) -> Layout | None:
    """The layout of a message, or None where it is no flat object of plain values of the fields."""
    if value[:1] != b"{":
        return None
    literals: list[bytes] = []
    fields: list[str] = []
    keys: set[bytes] = set()
    place, begun = 1, 0
    while (found := _PAIR.match(value, place)) is not None:
        key, place = found[1], found.end()
        name = key.decode()
        if key in keys:
            return None
        keys.add(key)
        group = 2 if name in TEXTS else 3
        if name in TEXTS | NUMBERS and found[group] is not None:
            start, end = found.span(group)
            literals.append(value[begun:start])
            begun = end
            fields.append(name)
        elif not ((name == "version" and found[3] == b"1") or (name == "cache" and not found[3])):
            return None
        if found[4] == b"}":
            break
    literals.append(value[begun:])
    whole = place == len(value) and value[-1:] == b"}" and max(map(len, literals)) <= _LITERAL_MAX
    complete = set(fields) >= (TEXTS | NUMBERS) - OPTIONAL
    return Layout(literals=tuple(literals), fields=tuple(fields)) if whole and complete else None


class Messages:
    """The values of many messages in one stretch of bytes."""

    def __init__(self, values: list[bytes]) -> None:
        sizes = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
        margin = bytes(_MARGIN)
        self.octets = np.frombuffer(b"".join((margin, *values, margin)), dtype=np.uint8)
        self.end = np.cumsum(sizes) + _MARGIN
        self.begin = self.end - sizes
        quotes = np.flatnonzero(self.octets == 0x22)
        self.first_quote = np.searchsorted(quotes, self.begin)
        self.quotes = np.concatenate((quotes, np.full(64, len(self.octets) - _MARGIN)))

    def words(self, at: Array, count: int) -> Array:
        """The `count` words (of eight bytes) at each place, as `count` rows."""
        width = 8 * count
        every = np.ndarray(
            shape=(len(self.octets) - width + 1,),
            dtype=f"V{width}",
            buffer=self.octets.data,
            strides=(1,),
        )
        return np.ascontiguousarray(every[at].view("<u8").reshape(len(at), count).T)

    def stands(self, literal: bytes, at: Array) -> Array:
        """Whether `literal` stands at each place."""
        count = -(-len(literal) // 8)
        wanted = np.frombuffer(literal.ljust(8 * count, b"\0"), dtype="<u8")
        found = self.words(at, count)
        found[-1] &= _LOW_BYTES[len(literal) - 8 * (count - 1)]
        same: Array = found[0] == wanted[0]
        for number in range(1, count):
            same &= found[number] == wanted[number]
        return same


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """A text value of each message: its words (zeros behind the end) and where it lies."""

    words: Array
    start: Array
    size: Array

    def at(self, places: Array) -> Texts:
        """Those of some messages."""
        return Texts(words=self.words[:, places], start=self.start[places], size=self.size[places])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The messages of a layout, by their places, with their values as columns."""

    places: Array
    texts: dict[str, Texts]
    numbers: dict[str, Array]


def find(messages: Messages, layout: Layout, places: Array) -> Found:
    """Those of the messages at `places` that are laid out so, with plain values."""
    spans, fits = _spans(messages, layout, places)
    numbers: dict[str, Array] = {}
    texts: dict[str, Texts] = {}
    for name, (start, end) in spans.items():
        if name in NUMBERS:
            numbers[name] = _number(messages, start, end, fits)
        else:
            texts[name] = _text(messages, start, end, fits)
    if fits.all():
        return Found(places=places, texts=texts, numbers=numbers)
    kept = np.flatnonzero(fits)
    return Found(
        places=places[kept],
        texts={name: text.at(kept) for name, text in texts.items()},
        numbers={name: number[kept] for name, number in numbers.items()},
    )


def _spans(
    messages: Messages, layout: Layout, places: Array
) -> tuple[dict[str, tuple[Array, Array]], Array]:
    """(begin and end of each value, whether every literal stands between them)."""
    at, end = messages.begin[places], messages.end[places]
    quote = messages.first_quote[places]
    fits = np.ones(len(places), dtype=np.bool_)
    spans: dict[str, tuple[Array, Array]] = {}
    for number, name in enumerate(layout.fields):
        literal, following = layout.literals[number], layout.literals[number + 1]
        fits &= messages.stands(literal, at)
        start = at + len(literal)
        quote = quote + literal.count(b'"')
        # A text ends at the next quote; a number before what follows, by its first quote.
        if name in TEXTS:
            at = messages.quotes[quote]
        elif b'"' in following:
            at = messages.quotes[quote] - following.index(b'"')
        else:
            at = end - len(following)
        spans[name] = (start, at)
        fits &= at >= start
    fits &= messages.stands(layout.literals[-1], at)
    fits &= at + len(layout.literals[-1]) == end
    return spans, fits


def _text(messages: Messages, start: Array, end: Array, fits: Array) -> Texts:
    """A column of texts; what is long or not plain is no longer in `fits`."""
    size = end - start
    fits &= size <= TEXT_BYTES_MAX
    size = np.where(fits, size, 0)
    words = messages.words(start, max(1, -(-int(size.max(initial=0)) // 8)))
    doubt = np.zeros(len(size), dtype=Word)
    for number in range(len(words)):
        held = _LOW_BYTES[np.clip(size - 8 * number, 0, 8)]
        words[number] &= held
        word = words[number]
        filled = word | (_SPACE & ~held)
        escape = filled ^ _ESCAPE
        doubt |= filled | (filled - _SPACE) & ~filled | (escape - _ONE) & ~escape
    fits &= doubt & _HIGH == 0
    return Texts(words=words, start=start, size=size)


def _number(messages: Messages, start: Array, end: Array, fits: Array) -> Array:
    """A column of numbers; what is long or no number is no longer in `fits`."""
    size = end - start
    fits &= (size >= 1) & (size <= DIGITS_MAX)
    # JSON knows no number with a leading zero.
    fits &= (size == 1) | (messages.octets[start] != 0x30)
    high, low = messages.words(end - DIGITS_MAX, 2)
    value = _digits(low, np.clip(size, 0, 8), fits)
    if int(size.max(initial=0)) > 8:
        value += _digits(high, np.clip(size - 8, 0, 8), fits) * Word(100_000_000)
    return value.astype(np.int64)


def _digits(word: Array, size: Array, fits: Array) -> Array:
    """The number that the last `size` of eight characters are."""
    before = _LOW_BYTES[8 - size]
    word = (word & ~before) | (_ZERO & before)
    plain = ((word + _each(0x46)) | (word - _ZERO)) & _HIGH == 0
    fits &= plain
    # Two digits, four, eight, always all of them at once.
    word = word - _ZERO
    word = word * Word(10) + (word >> Word(8))
    pairs = Word(0x000000FF000000FF)
    word = (word & pairs) * Word(0x000F424000000064) + ((word >> Word(16)) & pairs) * Word(
        0x0000271000000001
    )
    return word >> Word(32)


def coded(messages: Messages, texts: Texts) -> tuple[Array, list[str]] | None:
    """(number of each text, the distinct texts); None where two would get one number."""
    mixed = texts.words[0].copy()
    for word in texts.words[1:]:
        mixed ^= mixed >> Word(29)
        mixed *= Word(0x9E3779B97F4A7C15)
        mixed ^= word
    encoded = pa.array(mixed).dictionary_encode()
    codes = encoded.indices.to_numpy()
    first = np.empty(len(encoded.dictionary), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    if len(texts.words) > 1:
        like = first[codes]
        if not all(np.array_equal(word[like], word) for word in texts.words):
            return None
    octets = messages.octets
    spans = zip(texts.start[first].tolist(), texts.size[first].tolist(), strict=True)
    return codes, [octets[at : at + size].tobytes().decode() for at, size in spans]


def arrow_texts(texts: Texts) -> pa.StringArray:
    """The texts as Arrow."""
    count, size = texts.words.shape[1], texts.size
    every = np.ascontiguousarray(texts.words.T).view(np.uint8).reshape(count, -1)
    held = every[np.arange(every.shape[1]) < size[:, None]]
    offsets = np.zeros(count + 1, dtype=np.int32)
    np.cumsum(size, out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(held.tobytes())]
    made = pa.Array.from_buffers(pa.string(), count, buffers)
    assert isinstance(made, pa.StringArray), "made of texts"
    return made
