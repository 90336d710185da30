"""Every log reader, fed with anything: no traceback, nothing lost without a reason."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.batch.codec import decode_events, decode_header, encode_events
from edge.batch.records import EVENTS_MAX
from edge.domain import canonical_domain, comparable_name
from edge.errors import ConfigError, InputError
from edge.event import AHEAD_MS_MAX, BYTES_SENT_MAX, STATUS_MAX, TIME_MS_MIN
from edge.logs.chunks import without_nuls
from edge.logs.foreign import what_it_is
from edge.logs.formats.block import Parsed, parse_whatever, physical_lines
from edge.logs.formats.shipped import FORMATS, find_format
from edge.logs.guessing import guess
from tests.edge.logs.reading import (
    NOW_MS,
    THOROUGH,
    examples,
    import_files,
    nginx_lines,
    spool_content,
)
from tests.edge.logs.samples import SAMPLES
from tests.edge.samples import IDENTITY
from tests.fuzz.budget import IN_MEMORY, LONG, for_as_long_as_told

LINES = [line for sample in SAMPLES for line in sample.text.encode().splitlines()]
LINES += nginx_lines(0, 2).encode().splitlines()
LINES.append(b"1789999000.5\ta.example\thttps\tHTTP/2.0\t200\t1\tHIT\tid\ta.example\tTLSv1.3")
ODD = st.sampled_from(
    [
        b"",
        b"\t",
        b'"',
        b"\\",
        b"\0",
        b"\r",
        b"#Fields: date time",
        b"#Fields:",
        b"#Version: 2",
        b"{}",
        b"[]",
        b"null",
        b"-",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"1e999",
        b"9" * 40,
        b"xn--",
        b"://",
        b"\x01" * 9,
        b'{"a":' * 600,
    ]
)


@st.composite
def line(draw: st.DrawFn) -> bytes:
    """A line of some format with something put in, taken out or in its place."""
    made = draw(st.sampled_from(LINES))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(made)))
        stop = draw(st.integers(start, min(len(made), start + 12)))
        made = made[:start] + draw(st.one_of(ODD, st.binary(max_size=6))) + made[stop:]
    return made.replace(b"\n", b"")


BLOCKS = st.builds(
    lambda lines, end: b"\n".join(lines) + end,
    st.lists(st.one_of(line(), ODD, st.binary(max_size=40)), max_size=8),
    st.sampled_from([b"\n", b"", b"\r\n"]),
)


def hold(parsed: Parsed, block: bytes) -> None:
    """What must be true of whatever a reader makes of a block."""
    columns, count = parsed.columns, len(parsed.rows)
    assert len(columns) == count
    places = sorted([*parsed.rows.tolist(), *(row.row for row in parsed.refused)])
    assert len(set(places)) == len(places), "a line is one thing"
    assert all(0 <= place < len(physical_lines(block)) for place in places)
    assert parsed.rows.tolist() == sorted(parsed.rows.tolist())
    assert set(parsed.repeated.tolist()) <= set(parsed.rows.tolist())
    if not count:
        return
    assert int(columns.time_ms.min()) >= TIME_MS_MIN
    assert int(columns.time_ms.max()) <= NOW_MS + AHEAD_MS_MAX
    assert int(columns.status.max()) <= STATUS_MAX
    assert 0 <= int(columns.bytes_sent.min()) <= int(columns.bytes_sent.max()) <= BYTES_SENT_MAX
    assert all(name == (canonical_domain(name) or "") for name in columns.domains)
    assert count <= EVENTS_MAX
    data = encode_events(columns, **IDENTITY)
    assert len(decode_events(decode_header(data), data)) == count


EACH_WAY = ["nginx", "nginx-tsv", "cloudfront", "cloudfront-plain", "haproxy", "combined"]
EACH_WAY += ["keycdn", "s3", "fastly", "google-cloud-lb"]
"""One format of each way to cut and to read lines; the long run has all of them."""


@pytest.mark.parametrize("form", list(FORMATS) if LONG or THOROUGH else EACH_WAY)
@for_as_long_as_told
@given(block=BLOCKS)
def test_a_reader_makes_something_of_any_block(form: str, block: bytes) -> None:
    """Without the net that catches a reader's defects."""
    parsed = FORMATS[form].make().parse(block, NOW_MS)
    hold(parsed, block)
    data_lines = [
        text
        for text in physical_lines(block)
        if text.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip()
        and not (FORMATS[form].directives and text.startswith(b"#"))
    ]
    told = {*parsed.rows.tolist(), *(row.row for row in parsed.refused)}
    assert len(told) >= len(data_lines), "no line is passed over without a word"


@for_as_long_as_told
@settings(max_examples=examples(15))
@given(block=BLOCKS)
def test_any_block_may_be_asked_what_it_looks_like(block: bytes) -> None:
    assert guess(block, NOW_MS).name in ("", *FORMATS)
    what_it_is(block)
    whole = block + b"\n"  # a last line of nothing but NULs is a hole, and none of lines
    assert len(physical_lines(without_nuls(whole))) == len(physical_lines(whole))


PATHS = st.sampled_from(["a", "b.c", "b", "b.c.d", "time", "host", "x.y"])


@for_as_long_as_told
@given(
    block=BLOCKS,
    paths=st.lists(PATHS, min_size=6, max_size=6),
    unit=st.sampled_from(["s", "ms", "us", "ns", "rfc3339", "s_or_rfc3339"]),
    scheme=st.sampled_from(["field", "url", "tls", "port"]),
    more=st.sampled_from(["", "after_prefix = true\n", 'only = {field = "b", prefix = "x"}\n']),
)
def test_any_mapping_reads_any_block_or_is_refused(
    block: bytes, paths: list[str], unit: str, scheme: str, more: str
) -> None:
    text = (
        f'time = {{field = "{paths[0]}", unit = "{unit}", duration = "{paths[1]}"}}\n'
        f'host = "{paths[2]}"\nscheme = {{{scheme} = "{paths[3]}"}}\nstatus = "{paths[4]}"\n'
        f'bytes = "{paths[5]}"\nsni = "{paths[1]}"\nid = "{paths[0]}"\n{more}'
    )
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        try:
            parser = find_format(file.name).make()
        except ConfigError:
            return
    hold(parser.parse(block, NOW_MS), block)


@for_as_long_as_told
@given(
    parts=st.lists(
        st.one_of(
            BLOCKS,
            st.integers(1, 3000).map(bytes),
            st.integers(0, 40).map(lambda n: nginx_lines(n, n + 3).encode()),
        ),
        max_size=6,
    ),
    zipped=st.sampled_from([None, 1000, 30]),
    form=st.sampled_from(EACH_WAY),
)
def test_an_import_of_any_file_adds_up_and_a_second_adds_nothing(
    parts: list[bytes], zipped: int | None, form: str
) -> None:
    data = b"".join(parts)
    if zipped is not None:
        data = gzip.compress(data)
        data = data if zipped > len(data) else data[:-zipped] or data
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        log, spool = Path(folder) / "a.log", Path(folder) / "spool"
        log.write_bytes(data)
        try:
            first = import_files(spool, log, form=form)
        except InputError as error:  # bytes that begin like another kind of archive
            if "is compressed with" not in error.message:
                raise
            return
        assert first.lines == first.events + first.duplicates + sum(first.skipped.values())
        second = import_files(spool, log, form=form)
        assert (second.events, second.duplicates) == (0, first.events)
        assert spool_content(spool).events == first.events
        assert bool(first.not_understood) == bool(second.not_understood)


@for_as_long_as_told
@given(raw=st.one_of(st.text(max_size=300), st.from_regex(r"[a-zA-Z0-9.-]{1,60}", fullmatch=True)))
def test_any_two_spellings_of_a_name_can_be_compared(raw: str) -> None:
    name = canonical_domain(raw)
    spelt = comparable_name(raw)  # of any text, and nothing is raised
    if name is not None:
        assert spelt == comparable_name(name) == comparable_name(f" {name.upper()}.:443") == name


def test_the_net_under_the_readers_is_only_a_net() -> None:
    """A reader that falls is a defect, which this pass must find: it asks readers themselves."""
    parsed = parse_whatever(FORMATS["nginx"].make(), b"x\n", NOW_MS)
    assert [row.reason.value for row in parsed.refused] == ["syntax"]
