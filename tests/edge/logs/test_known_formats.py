"""Every shipped format: its sample lines are exactly the events that its file says they are."""

from __future__ import annotations

from datetime import datetime

import pytest

from edge.logs.formats.mapping import About
from edge.logs.formats.shipped import FORMATS, find_format, known_mapping
from edge.logs.guessing import guess
from tests.edge.logs.reading import NOW_MS
from tests.edge.logs.samples import SAMPLES
from tests.edge.logs.test_formats import told

NAMES = [name for name in FORMATS if name != "nginx-tsv"]


def about(name: str) -> About:
    found = known_mapping(name).about
    assert found is not None, f"{name} says nothing of itself"
    return found


def ms_of(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_of_a_format_is_the_events_it_says(name: str) -> None:
    said = about(name)
    form = find_format(name, scheme=said.scheme or "", host=said.host or "")
    parsed = form.make(said.file).parse(said.sample.encode(), NOW_MS)
    assert told(parsed) == [
        (ms_of(e.time), e.domain, e.class_, e.status, e.bytes, e.cache) for e in said.events
    ]
    assert tuple(row.reason.value for row in parsed.refused) == said.refused


SURE_OF = {"varnish": ""}
"""Formats whose lines another reads too, with other meaning: never guessed, both are named."""


@pytest.mark.parametrize("name", NAMES)
def test_auto_names_the_format_of_every_sample_or_says_that_it_is_in_doubt(name: str) -> None:
    """Each sample is read by every parser: none but its own may be named."""
    said = about(name)
    found = guess(said.sample.encode(), NOW_MS, name=said.file)
    assert found.name == SURE_OF.get(name, name), found
    assert found.name or name in found.others


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_auto_is_not_wrong_about_odd_lines(sample: object) -> None:
    assert guess(sample.text.encode(), NOW_MS).name in ("", sample.format)  # type: ignore[attr-defined]
