"""JSON events that may be counted, as columns: from messages laid out alike, or judged one by one.

Texts that repeat (source, name, region) are numbers into a list. Both ways give the same columns;
a test holds them against each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import eq
from typing import Final, Self

import numpy as np
import pyarrow as pa

from edge.batch.records import Array
from edge.domain import canonical_domains
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, STATUS_MAX, TIME_MS_MIN
from metering.counting.json_check import CACHE_CODES, CLASS_CODES, Bounds, Checked
from metering.counting.json_layout import Found, Messages, arrow_texts, coded, find, layout_of
from metering.counting.json_parse import UNKNOWN_REGION, is_plain
from metering.sources.source import Message

ALIKE_MIN: Final = 64
"""Fewer messages cost less one by one."""
SAMPLES: Final = 16
LAYOUTS_MAX: Final = 4
"""So many layouts are looked for in what is read together, learnt from so many samples."""
_NONE: Final = 255
"""The code of a word that no event may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """Texts that repeat: the number of each, and the distinct ones."""

    codes: Array
    names: list[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Numbered in order of their first sight."""
        number: dict[str, int] = {}
        codes = [number.setdefault(text, len(number)) for text in texts]
        return cls(codes=np.array(codes, dtype=np.int32), names=list(number))

    def __getitem__(self, places: Array) -> Coded:
        return Coded(codes=self.codes[places], names=self.names)

    @classmethod
    def joined(cls, parts: Sequence[Coded]) -> Self:
        """One after another, over one list of names."""
        number: dict[str, int] = {}
        codes = []
        for part in parts:
            own = [number.setdefault(name, len(number)) for name in part.names]
            codes.append(np.array(own, dtype=np.int32)[part.codes])
        return cls(codes=np.concatenate(codes), names=list(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonColumns:
    """Events that may be counted.

    `place` is where each lies in what was read: those of one place keep their order. `id` are
    texts; `domain` is canonical ("" for none); the codes are those of batches.
    """

    place: Array
    source: Coded
    id: pa.StringArray
    time_ms: Array
    domain: Coded
    region: Coded
    class_code: Array
    status: Array
    bytes_sent: Array
    cache: Array

    def __len__(self) -> int:
        return len(self.place)

    def at(self, places: Array) -> JsonColumns:
        """Those at these places, in that order."""
        return JsonColumns(
            place=self.place[places],
            source=self.source[places],
            id=self.id.take(pa.array(places, type=pa.int64())),
            time_ms=self.time_ms[places],
            domain=self.domain[places],
            region=self.region[places],
            class_code=self.class_code[places],
            status=self.status[places],
            bytes_sent=self.bytes_sent[places],
            cache=self.cache[places],
        )

    @classmethod
    def joined(cls, parts: Sequence[JsonColumns]) -> JsonColumns:
        """One after another."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            place=np.concatenate([part.place for part in parts]),
            source=Coded.joined([part.source for part in parts]),
            id=pa.concat_arrays([part.id for part in parts]),
            time_ms=np.concatenate([part.time_ms for part in parts]),
            domain=Coded.joined([part.domain for part in parts]),
            region=Coded.joined([part.region for part in parts]),
            class_code=np.concatenate([part.class_code for part in parts]),
            status=np.concatenate([part.status for part in parts]),
            bytes_sent=np.concatenate([part.bytes_sent for part in parts]),
            cache=np.concatenate([part.cache for part in parts]),
        )

    def readable(self) -> list[dict[str, object]]:
        """What a person wants to see of each."""
        columns = {
            "source": [self.source.names[code] for code in self.source.codes.tolist()],
            "id": self.id.to_pylist(),
            "time_ms": self.time_ms.tolist(),
            "domain": [self.domain.names[code] for code in self.domain.codes.tolist()],
            "status": self.status.tolist(),
            "bytes_sent": self.bytes_sent.tolist(),
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def from_checked(checked: Checked, origin: Sequence[int]) -> JsonColumns:
    """What was judged one by one; `origin` tells the place of each of what was judged."""
    return JsonColumns(
        place=np.array([origin[place] for place in checked.place], dtype=np.int64),
        source=Coded.of(checked.source),
        id=pa.array(checked.id, type=pa.string()),
        time_ms=np.array(checked.time_ms, dtype=np.int64),
        domain=Coded.of(checked.domain),
        region=Coded.of(checked.region),
        class_code=np.array(checked.class_code, dtype=np.uint8),
        status=np.array(checked.status, dtype=np.uint16),
        bytes_sent=np.array(checked.bytes_sent, dtype=np.int64),
        cache=np.array(checked.cache, dtype=np.uint8),
    )


def laid_out_alike(messages: Sequence[Message], bounds: Bounds) -> tuple[list[JsonColumns], Array]:
    """(events of messages of a few layouts, the places of all messages that hold other events)."""
    places = [place for place, message in enumerate(messages) if is_plain(message)]
    every = np.arange(len(messages))
    if len(places) < ALIKE_MIN:
        return [], every
    joined = Messages([value for _, value, _ in messages])
    keys = [key for key, _, _ in messages]
    parts: list[JsonColumns] = []
    left = np.array(places)
    samples = (messages[place][1] for place in places[:: -(-len(places) // SAMPLES)])
    layouts = filter(None, dict.fromkeys(map(layout_of, samples)))
    for layout in itertools.islice(layouts, LAYOUTS_MAX):
        part = from_layout(joined, find(joined, layout, left), keys, bounds)
        if part is not None and len(part):
            parts.append(part)
            left = np.setdiff1d(left, part.place, assume_unique=True)
    taken = np.concatenate([part.place for part in parts]) if parts else every[:0]
    return parts, np.setdiff1d(every, taken, assume_unique=True)


def from_layout(
    messages: Messages, found: Found, keys: Sequence[bytes | None], bounds: Bounds
) -> JsonColumns | None:
    """Those of the messages found that may be counted; the others are to be judged one by one.

    `keys` are the message keys by place.
    """
    if not len(found.places):
        return None
    texts: dict[str, Coded] = {}
    for name, column in found.texts.items():
        if name == "id":
            continue
        numbered = coded(messages, column)
        if numbered is None:
            return None
        texts[name] = Coded(codes=numbered[0], names=numbered[1])
    fits = _in_bounds(found.numbers, bounds) & (found.texts["id"].size > 0)
    fits &= found.texts["source"].size > 0
    fits &= _trusted(texts, [keys[place] for place in found.places.tolist()], bounds)
    class_code = _pairs(texts["scheme"], texts["transport"])
    cache = _words(texts.get("cache"), CACHE_CODES, len(fits))
    region = texts.get("region")
    if region is None:
        region = Coded(codes=np.zeros(len(fits), dtype=np.int32), names=[UNKNOWN_REGION])
    else:
        fits &= found.texts["region"].size > 0
    fits &= (class_code != _NONE) & (cache != _NONE)
    names = [name or "" for name in canonical_domains(texts["domain"].names)]
    kept = np.flatnonzero(fits)
    events = JsonColumns(
        place=found.places,
        source=texts["source"],
        id=arrow_texts(found.texts["id"]),
        time_ms=found.numbers["time"],
        domain=replace(texts["domain"], names=names),
        region=region,
        class_code=class_code,
        status=found.numbers["status"].astype(np.uint16),
        bytes_sent=found.numbers["bytes_sent"],
        cache=cache,
    )
    return events if len(kept) == len(fits) else events.at(kept)


def _in_bounds(numbers: Mapping[str, Array], bounds: Bounds) -> Array:
    """Whether time, status and bytes of each event are such as may be counted."""
    time, status, size = numbers["time"], numbers["status"], numbers["bytes_sent"]
    fits: Array = time >= max(bounds.window_start_ms, TIME_MS_MIN)
    fits &= time <= bounds.now_ms + AHEAD_MS_MAX
    fits &= status <= STATUS_MAX
    fits &= size <= BYTES_SENT_MAX
    return fits


def _trusted(texts: Mapping[str, Coded], keys: list[bytes | None], bounds: Bounds) -> Array:
    """Whether each source may report, came under its own name as key, and may report the name."""
    source, domain, trust = texts["source"], texts["domain"], bounds.trust
    own = [name.encode() for name in source.names]
    wanted = [own[code] for code in source.codes.tolist()]
    same = [True] * len(keys) if wanted == keys else list(map(eq, wanted, keys))
    fits = np.array(same)
    fits &= np.array([trust.against(name) is None for name in source.names])[source.codes]
    if trust.names_are_listed:
        canonical = canonical_domains(domain.names)
        pairs, place = np.unique(
            source.codes.astype(np.int64) * len(canonical) + domain.codes, return_inverse=True
        )
        allowed = [
            trust.may_report(source.names[pair // len(canonical)], canonical[pair % len(canonical)])
            for pair in pairs.tolist()
        ]
        fits &= np.array(allowed)[place]
    return fits


def _pairs(scheme: Coded, transport: Coded) -> Array:
    """The billing class of each event by its scheme and transport."""
    table = np.array(
        [
            [CLASS_CODES.get((one, other), _NONE) for other in transport.names]
            for one in scheme.names
        ],
        dtype=np.uint8,
    )
    return table[scheme.codes, transport.codes]


def _words(words: Coded | None, codes: Mapping[str | None, int], count: int) -> Array:
    """The code of each word; of an absent one that of None."""
    if words is None:
        return np.full(count, codes[None], dtype=np.uint8)
    known = np.array([codes.get(word, _NONE) for word in words.names], dtype=np.uint8)
    return known[words.codes]
