"""Every shipped format: its sample lines are exactly the events that its file says they are."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from edge.logs.formats.block import Parsed
from edge.logs.formats.mapping import About
from edge.logs.formats.shipped import FORMATS, find_format, known_mapping
from edge.logs.guessing import guess
from tests.edge.logs.formats.test_formats import told
from tests.edge.logs.reading import NOW_MS, THOROUGH
from tests.edge.logs.samples import SAMPLES

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
    said, parsed = about(name), sample_of(name)
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


def section(name: str) -> str:
    """A format's section of docs/formats.md."""
    said = about(name)
    lacks = FORMATS[name].lacks
    say = " ".join(f"--{part} {'http|https' if part == 'scheme' else 'NAME'}" for part in lacks) + (
        " or --scheme port" if known_mapping(name).port else ""
    )
    option = f"`--format {name}{' ' + say if say else ''}`"
    fence = "```"
    lines = "\n".join(said.sample.splitlines())
    return (
        f"## {said.title}\n{option}\n\n{fence}\n{said.setting.strip()}\n{fence}\n\n"
        f"**Counts.** {said.counts}\n\n**Cannot tell.** {said.cannot}\n\n"
        f"{fence}\n{lines}\n{fence}\n"
    )


def test_the_page_of_formats_is_made_of_their_files(root: Path) -> None:
    intro = (
        "# Log formats\n\nHow to switch each log on, what counts, and what it cannot tell. Made of"
        " `edge/logs/formats/known/*.toml`, whose sample\nlines a test reads, by `EDGETOLL_GOLDEN="
        "write pytest tests/edge/logs/formats/test_known_formats.py`. Names and addresses are made"
        " up.\n"
    )
    page = "\n".join([intro, *(section(name) for name in NAMES)])
    path = root / "docs" / "formats.md"
    if os.environ.get("EDGETOLL_GOLDEN") == "write":
        path.write_text(page, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page


def generated(name: str, count: int, seed: int) -> tuple[bytes, Counter[tuple[str, str, int]]]:
    """`count` lines of a format with other hosts and byte counts, and what they are."""
    said, draw = about(name), random.Random(seed)
    lines = said.sample.splitlines()
    rows = sample_of(name).rows.tolist()
    found = [line for line in lines[: rows[0]] if line.startswith("#")]
    truth: Counter[tuple[str, str, int]] = Counter()
    for number in range(count):
        place = number % len(rows)
        event, line = said.events[place], lines[rows[place]]
        host, size = f"h{draw.randrange(40)}.example.org", event.bytes
        if said.host is None and event.domain in line:
            line = line.replace(event.domain, host)
        else:
            host = event.domain  # what a person said, or the file's name
        if size:
            size = draw.randrange(1 << 40)
            line = re.sub(rf"\b{event.bytes}\b", str(size), line)
        found.append(line)
        truth[host, event.class_, size] += 1
    return "\n".join([*found, ""]).encode(), truth


def sample_of(name: str) -> Parsed:
    said = about(name)
    form = find_format(name, scheme=said.scheme or "", host=said.host or "")
    return form.make(said.file).parse(said.sample.encode(), NOW_MS)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_in_a_format_is_read_back_to_the_last_byte(name: str) -> None:
    said = about(name)
    text, truth = generated(name, 100_000 if THOROUGH else 150, 7)
    parser = find_format(name, scheme=said.scheme or "", host=said.host or "").make(said.file)
    parsed = parser.parse(text, NOW_MS)
    assert parsed.refused == ()
    read = [(event[1], event[2], event[4]) for event in told(parsed)]
    assert Counter(read) == truth
