"""Usage that another system has summed comes in as counts, each row once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edge.batch.codec import decode_counters, decode_header
from edge.errors import Corrupt
from edge.event import CLASSES
from edge.logs.importer import ImportResult
from edge.spool.segment import read_frames
from edge.spool.state import SpoolBroken
from edge.usage.importing import UsageImporter
from edge.usage.known_rows import FILE, KnownRows, hash_of
from tests.edge.logs.reading import NOW_MS, open_spool

HEAD = "time,domain,class,requests,bytes,region,id\n"
ROWS = (
    "2026-03-01T10:00:00Z,WWW.Example.com,https,1000,5000000,,r1\n"
    "2026-03-01T10:05:00Z,www.example.com,http,7,70,,r2\n"
    "1772359200,www.example.com,quic,3,30,CN,r3\n"
)
COUNTS = {
    ("DE", "www.example.com", "https"): (1000, 5_000_000),
    ("DE", "www.example.com", "http"): (7, 70),
    ("CN", "www.example.com", "quic"): (3, 30),
}


def take(folder: Path, *paths: Path) -> ImportResult:
    with open_spool(folder) as spool:
        return UsageImporter(spool, "DE", now_ms=NOW_MS).run(paths)


def counted(folder: Path) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Requests and bytes in a spool by region, domain and class."""
    requests: Counter[tuple[str, str, str]] = Counter()
    sizes: Counter[tuple[str, str, str]] = Counter()
    for frame in read_frames(folder, None, 1 << 40):
        header = decode_header(frame.payload)
        if header.kind != "counters":
            continue
        rows = decode_counters(header, frame.payload)
        for place in range(len(rows)):
            key = (
                header.region,
                rows.domains[rows.domain_index[place]],
                CLASSES[rows.class_code[place]],
            )
            requests[key] += int(rows.requests[place])
            sizes[key] += int(rows.bytes_sent[place])
    return {key: (requests[key], sizes[key]) for key in requests}


def test_rows_count_once_though_exports_overlap(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(HEAD + ROWS)
    second.write_text(
        HEAD + ROWS.splitlines(keepends=True)[1] + "2026-03-01T11:00:00Z,a.b,https,1,2,,r4\n"
    )
    result = take(tmp_path / "spool", first)
    assert (result.lines, result.events, result.duplicates) == (3, 3, 0)
    assert counted(tmp_path / "spool") == COUNTS
    again = take(tmp_path / "spool", first, second)
    assert (again.lines, again.events, again.duplicates) == (5, 1, 4)
    assert counted(tmp_path / "spool") == COUNTS | {("DE", "a.b", "https"): (1, 2)}


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_json_and_parquet_are_rows_too(kind: str, tmp_path: Path) -> None:
    names = HEAD.strip().split(",")
    records = [dict(zip(names, row.split(","), strict=True)) for row in ROWS.split()]
    path = tmp_path / f"a.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(each) + "\n" for each in records))
    elif kind == "json":
        path.write_text(json.dumps({"records": records}, indent=1))
    else:
        pq.write_table(pa.Table.from_pylist(records), path)
    assert take(tmp_path / "spool", path).events == 3
    assert counted(tmp_path / "spool") == COUNTS


def test_e3_a_row_that_contradicts_a_counted_one_is_refused_and_told(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("hour,host,scheme,count,traffic\n2026-03-01T10:00:00Z,a.b,https,5,50\n")
    assert take(tmp_path / "spool", path).events == 1
    path.write_text("hour,host,scheme,count,traffic\n2026-03-01T10:00:00Z,a.b,https,6,60\n")
    result = take(tmp_path / "spool", path)
    assert (result.events, dict(result.skipped)) == (0, {"conflict": 1})
    assert "1 row of 1 has other numbers" in str(result.not_understood)
    assert counted(tmp_path / "spool") == {("DE", "a.b", "https"): (5, 50)}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-03-01T10:01:00Z,a.b,https,1,1,,x", "clock"),
        ("1999-01-01T00:00:00Z,a.b,https,1,1,,x", "clock"),
        ("soon,a.b,https,1,1,,x", "clock"),
        ("2026-03-01T10:00:00Z,a.b,ftp,1,1,,x", "scheme"),
        ("2026-03-01T10:00:00Z,a.b,https,1.5,1,,x", "bytes"),
        ("2026-03-01T10:00:00Z,a.b,https,-1,1,,x", "bytes"),
        ("2026-03-01T10:00:00Z,a.b,https,,1,,x", "schema"),
        ("2026-03-01T10:00:00Z,a.b,https,1,1,a b,x", "schema"),
        ("2026-03-01T10:00:00Z,a.b", "syntax"),
    ],
)
def test_a_row_that_is_no_count_is_refused_for_its_reason(
    row: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + ROWS + row + "\n")
    result = take(tmp_path / "spool", path)
    assert (result.events, dict(result.skipped)) == (3, {reason: 1})
    assert result.not_understood, "a quarter of the rows"


def test_a_file_without_the_columns_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("day,site\n1,2\n")
    assert "names no column time, domain" in take(tmp_path / "spool", path).problems[0]


def test_rows_whose_batch_a_crash_took_are_counted_when_they_come_again(tmp_path: Path) -> None:
    """The record is durable before its batch, whose number another batch may have by now."""
    path = tmp_path / "a.csv"
    path.write_text(HEAD + ROWS)
    folder = tmp_path / "spool"
    take(folder, path)
    with open_spool(folder) as spool:
        status = spool.status()
        KnownRows(spool).write(status.epoch, status.next_sequence, [hash_of("r9") + b"c" * 16])
        spool.heartbeat(NOW_MS)
    whole = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(whole + whole[:7])  # and a torn record behind it
    path.write_text(HEAD + ROWS + "2026-03-01T10:00:00Z,b.c,https,1,2,,r9\n")
    result = take(folder, path)
    assert (result.events, result.duplicates) == (1, 3)
    assert take(folder, path).duplicates == 4


def test_rows_that_cannot_be_remembered_are_not_counted(tmp_path: Path) -> None:
    """A full disk: a batch in the spool without its record would be counted again."""
    path = tmp_path / "a.csv"
    path.write_text(HEAD + ROWS)
    with open_spool(tmp_path / "spool") as spool:
        importer = UsageImporter(spool, "DE", now_ms=NOW_MS)
        (tmp_path / "spool" / FILE).mkdir()
        with pytest.raises(SpoolBroken):
            importer.run([path])
    assert counted(tmp_path / "spool") == {}
    (tmp_path / "spool" / FILE).rmdir()
    assert take(tmp_path / "spool", path).events == 3
    assert counted(tmp_path / "spool") == COUNTS


@pytest.mark.parametrize("damage", ["gone", "short", "changed"])
def test_a_damaged_list_of_rows_stops_the_import(damage: str, tmp_path: Path) -> None:
    path, known = tmp_path / "a.csv", tmp_path / "spool" / FILE
    path.write_text(HEAD + ROWS)
    take(tmp_path / "spool", path)
    data = known.read_bytes()
    known.write_bytes(
        {"gone": b"", "short": data[:-1], "changed": data[:16] + b"\1" + data[17:]}[damage]
    )
    with pytest.raises(Corrupt, match="counted again"):
        take(tmp_path / "spool", path)


def test_absurd_sizes_are_refused_and_the_largest_never_sum_beyond_64_bits(tmp_path: Path) -> None:
    """A batch sums its rows: past 2^63 they would end the import, or wrap."""
    path, most = tmp_path / "a.csv", (1 << 56) - 1
    rows = [f"2026-03-01T10:00:00Z,a.b,https,1,{most},,r{number}\n" for number in range(300)]
    path.write_text(HEAD + "".join(rows) + f"2026-03-01T10:00:00Z,a.b,https,1,{most + 1},,no\n")
    result = take(tmp_path / "spool", path)
    assert (result.events, sum(result.skipped.values())) == (300, 1)
    assert counted(tmp_path / "spool") == {("DE", "a.b", "https"): (300, 300 * most)}
