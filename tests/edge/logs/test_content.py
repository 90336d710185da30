"""Content by offset, chunks of whole lines, and the windows that identify a file."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.logs.chunks import ContentChanged, read_chunks
from edge.logs.content import Content
from edge.logs.fingerprints import MARKS, Trail, agrees, end_of_lines, head_of, marks_of
from tests.edge.logs.reading import examples


def made(path: Path, data: bytes) -> Content:
    """A file with `data`, opened."""
    path.write_bytes(data)
    return Content(path)


def bytes_of(size: int, seed: int = 0) -> bytes:
    """Bytes in lines, different at every offset."""
    return b"".join(b"%d:%d\n" % (seed, number) for number in range(size // 4))[:size]


@settings(max_examples=examples(25))
@given(
    sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=12),
    members=st.integers(1, 3),
)
def test_the_trail_of_any_chunking_is_the_one_read_from_the_file(
    sizes: list[int], members: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("trail")
    data = bytes_of(sum(sizes))
    cut = len(data) // members
    parts = [data[:cut], data[cut:]] if members > 1 else [data]
    trail = Trail()
    start = 0
    for size in sizes:
        trail.feed(data[start : start + size])
        start += size
    zipped = made(folder / "z", b"".join(gzip.compress(part) for part in parts))
    for content in (made(folder / "p", data), zipped):
        with content:
            assert marks_of(content, len(data)) == tuple(trail.marks)
            assert agrees(content, len(data), trail.fingerprint(), tuple(trail.marks)) is True
            resumed = Trail.resume(content, len(data), tuple(trail.marks))
            assert resumed.fingerprint() == trail.fingerprint()


@settings(max_examples=examples(25))
@given(
    reads=st.lists(st.tuples(st.integers(0, 60_000), st.integers(1, 9000)), min_size=1, max_size=8)
)
def test_gzip_and_plain_give_the_same_bytes_at_every_offset(
    reads: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("reads")
    data = bytes_of(50_000)
    plain = made(folder / "p", data)
    zipped = made(folder / "z", gzip.compress(data[:20_000]) + gzip.compress(data[20_000:]))
    with plain, zipped:
        for offset, count in reads:
            expected = data[offset : offset + count]
            assert plain.read_at(offset, count) == zipped.read_at(offset, count) == expected


def test_agreement_knows_other_content_and_shorter_copies(tmp_path: Path) -> None:
    data = bytes_of(20_000)
    trail = Trail()
    trail.feed(data)
    known = (len(data), trail.fingerprint(), tuple(trail.marks))
    with made(tmp_path / "longer", data + b"more\n") as content:
        assert agrees(content, *known) is True
    for size in (0, 255, 256, 5000, 19_999):
        with made(tmp_path / "shorter", data[:size]) as content:
            assert agrees(content, *known) is None
    for place in (0, 200, 1000, 16_383, 19_999):
        changed = bytearray(data)
        changed[place] ^= 1
        with made(tmp_path / "other", bytes(changed)) as content:
            assert agrees(content, *known) is False
    for place in (0, 200, 1000, 4095):
        changed = bytearray(data[:5000])
        changed[place] ^= 1
        with made(tmp_path / "other", bytes(changed)) as content:
            assert agrees(content, *known) is False


def test_a_file_truncated_and_grown_again_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    data = bytes_of(3 << 20)
    with made(path, data) as content:
        chunks = read_chunks(content, 0, [1 << 20])
        first = next(chunks)
        os.truncate(path, 0)
        path.write_bytes(bytes_of(4 << 20, seed=1))
        assert first.data == data[: first.end]
        with pytest.raises(ContentChanged):
            next(chunks)


def test_chunks_are_whole_lines_that_join_to_the_file(tmp_path: Path) -> None:
    data = bytes_of(5 << 20) + b"half"
    with made(tmp_path / "a.log", data) as content:
        chunks = list(read_chunks(content, 0, [1 << 20]))
    assert b"".join(chunk.data for chunk in chunks) == data
    assert all(chunk.data.endswith(b"\n") for chunk in chunks[:-1])
    assert [chunk.open_end for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert len(chunks) > 4


def test_the_head_is_the_first_data_line(tmp_path: Path) -> None:
    def head(data: bytes, *, whole: bool = False) -> str | None:
        with made(tmp_path / "a", data) as content:
            return head_of(content, whole=whole)

    assert head(b"") is head(b"\n\n") is head(b"#Fields: a\n") is None
    assert head(b"line") is None
    assert head(b"line", whole=True) == head(b"line\n") == head(b"#x\n\nline\nmore\n")
    assert head(b"line\n") != head(b"other\n")
    assert head(b"x" * 100_000) == head(b"x" * 100_000 + b"\n")


def test_the_end_of_lines_is_behind_the_last_line_end(tmp_path: Path) -> None:
    for data, end in ((b"", 0), (b"half", 0), (b"a\nhalf", 2), (b"a\n" + b"x" * (3 << 20), 2)):
        with made(tmp_path / "a", data) as content:
            assert end_of_lines(content)[0] == end


def test_marks_grow_by_powers_so_that_a_position_stays_small() -> None:
    assert MARKS[:4] == (256, 1024, 4096, 16384)
    assert MARKS[-1] > 1 << 37
