"""The journal: what is appended stays, whatever is cut off or flipped afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing.store.journal import FIRST_HASH, Journal, canonical
from edge.errors import Corrupt

AT = datetime(2026, 10, 1, 12, tzinfo=UTC)


def write(folder: Path, count: int = 3) -> Journal:
    """A journal of `count` small records."""
    journal = Journal(folder)
    journal.verify()
    for number in range(count):
        effects = {"value": {"json": {"n": number, "text": 'größer {}"\\ \n'}}}
        journal.append(journal.next_record("note", effects, at=AT))
    return journal


def reopened(folder: Path) -> Journal:
    """The journal as the next process sees it, torn tail cut."""
    journal = Journal(folder)
    journal.cut(journal.verify())
    return journal


def test_records_come_back_in_order_and_chained(tmp_path: Path) -> None:
    written = write(tmp_path, 5)
    journal = reopened(tmp_path)
    records = list(journal.records())
    assert [record.number for record in records] == [1, 2, 3, 4, 5]
    assert [record.previous for record in records] == [
        FIRST_HASH,
        *(record.hash for record in records[:-1]),
    ]
    assert (journal.last_no, journal.last_hash) == (5, written.last_hash)
    assert records[2].effects["value"] == {"json": {"n": 2, "text": 'größer {}"\\ \n'}}
    assert records[0].at == AT
    assert [record.number for record in journal.records(after=3)] == [4, 5]


def test_a_torn_last_record_is_cut_at_every_offset_and_its_bytes_are_kept(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "journal.jsonl"
    whole = path.read_bytes()
    first_two = len(b"".join(whole.splitlines(keepends=True)[:2]))
    for end in range(first_two + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        journal = Journal(tmp_path)
        torn = journal.verify()
        assert journal.last_no == 2
        assert torn == whole[first_two:end]
        journal.cut(torn)
        assert path.read_bytes() == whole[:first_two]
        assert (tmp_path / "torn-after-2.bin").read_bytes() == whole[first_two:end]


def test_a_last_record_that_lacks_only_its_newline_counts(tmp_path: Path) -> None:
    written = write(tmp_path)
    path = tmp_path / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    journal = reopened(tmp_path)
    assert (journal.last_no, journal.last_hash) == (3, written.last_hash)
    assert path.read_bytes() == whole


def test_c16_g24_every_flipped_bit_of_the_journal_is_found(tmp_path: Path) -> None:
    """Each byte with one bit flipped: no flip is taken for a torn tail, none is overlooked."""
    write(tmp_path, 2)
    path = tmp_path / "journal.jsonl"
    whole = path.read_bytes()
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (place % 8)
        path.write_bytes(flipped)
        with pytest.raises(Corrupt, match="journal record"):
            Journal(tmp_path).verify()


def test_g24_a_record_that_is_removed_or_moved_breaks_the_chain(tmp_path: Path) -> None:
    write(tmp_path, 4)
    path = tmp_path / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    for changed in (lines[:1] + lines[2:], [lines[1], lines[0], *lines[2:]], [*lines, lines[3]]):
        path.write_bytes(b"".join(changed))
        with pytest.raises(Corrupt):
            Journal(tmp_path).verify()


def test_a_record_of_another_chain_is_not_appended(tmp_path: Path) -> None:
    journal = write(tmp_path / "one")
    other = write(tmp_path / "two", 4)
    record = other.next_record("note", {}, at=AT)
    with pytest.raises(Corrupt, match="does not continue"):
        journal.append(record)


def test_g25_a_float_cannot_enter_the_journal(tmp_path: Path) -> None:
    journal = write(tmp_path, 0)
    for value in (1.5, {"a": [1, 2.0]}, [{"b": float("nan")}]):
        with pytest.raises(TypeError, match="float"):
            journal.next_record("note", {"value": {"json": value}}, at=AT)


def test_the_same_record_has_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "one")
    write(tmp_path / "two")
    name = "journal.jsonl"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert canonical({"b": 1, "a": [None, True, "é"]}) == '{"a":[null,true,"é"],"b":1}'.encode()


def test_c11_a_full_disk_takes_the_half_written_record_back(tmp_path: Path) -> None:
    """A record larger than the file size limit fails whole; the next smaller one is written."""
    import resource
    import signal

    journal = write(tmp_path, 1)
    size = (tmp_path / "journal.jsonl").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, before[1]))
    try:
        big = journal.next_record("note", {"value": {"json": "x" * 5000}}, at=AT)
        with pytest.raises(OSError, match="too large"):
            journal.append(big)
        assert (tmp_path / "journal.jsonl").stat().st_size == size
        journal.append(journal.next_record("note", {"value": {"json": "small"}}, at=AT))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert reopened(tmp_path).last_no == 2
