"""Packed files, JSON documents and Parquet are read as the lines that they hold, each once."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.logs.formats.shipped import find_format
from edge.logs.unpacked import Documents, is_documents
from tests.edge.logs.reading import import_files, nginx_line, nginx_lines, spool_content


def by_arrow(codec: str) -> Callable[[bytes], bytes]:
    def pack(data: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, codec) as out:  # type: ignore[arg-type]
            out.write(data)
        return bytes(sink.getvalue().to_pybytes())

    return pack


PACKERS = {
    "zstd": by_arrow("zstd"),
    "lz4": by_arrow("lz4"),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("kind", PACKERS)
def test_a_packed_log_is_its_lines_once_however_it_is_packed(kind: str, tmp_path: Path) -> None:
    lines, pack = nginx_lines(0, 2500).encode(), PACKERS[kind]
    whole, joined = tmp_path / "a.log.packed", tmp_path / "b.log.packed"
    whole.write_bytes(pack(lines))
    joined.write_bytes(pack(lines) + pack(nginx_lines(2500, 3000).encode()))
    assert import_files(tmp_path / "spool", whole).events == 2500
    again = import_files(tmp_path / "spool", whole, joined)
    assert (again.events, again.duplicates, again.problems) == (500, 5000, [])
    assert spool_content(tmp_path / "spool").events == 3000


@pytest.mark.parametrize("kind", [*PACKERS, "gzip"])
def test_e3_a_packed_log_that_is_cut_off_before_its_first_line_is_no_empty_one(
    kind: str, tmp_path: Path
) -> None:
    data = PACKERS.get(kind, gzip.compress)(nginx_lines(0, 50).encode())
    for length in [*range(1, 24), len(data) // 2, len(data) - 1]:
        log = tmp_path / f"{length}.log"
        log.write_bytes(data[:length])
        found = import_files(tmp_path / "spool", log)
        assert found.problems or found.not_understood, length


@pytest.mark.parametrize("kind", PACKERS)
def test_a_packed_log_that_is_cut_off_or_damaged_is_told(kind: str, tmp_path: Path) -> None:
    data = PACKERS[kind](b"".join(nginx_line(n).encode() for n in range(20_000)))
    cut, bad = tmp_path / "cut", tmp_path / "bad"
    cut.write_bytes(data[: len(data) // 2])
    bad.write_bytes(data + b"these bytes are no such stream")
    assert "is cut off" in str(import_files(tmp_path / "spool", cut).problems)
    after = import_files(tmp_path / "spool", bad)
    assert "damaged" in str(after.problems)


RECORDS = [orjson.loads(nginx_line(number)) for number in range(40)]
SHAPES = {
    "an array": json.dumps(RECORDS),
    "an array over lines": json.dumps(RECORDS, indent=2),
    "an array a record a line": "[\n" + ",\n".join(map(json.dumps, RECORDS)) + "\n]\n",
    "objects over lines": "\n".join(json.dumps(each, indent=1) for each in RECORDS),
    "two arrays": json.dumps(RECORDS[:7]) + "\n" + json.dumps(RECORDS[7:]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_json_documents_are_their_records(shape: str, tmp_path: Path) -> None:
    log = tmp_path / "a.json"
    log.write_text(SHAPES[shape])
    result = import_files(tmp_path / "spool", log)
    assert (result.lines, result.events, result.problems) == (40, 40, [])
    assert import_files(tmp_path / "spool", log).duplicates == 40
    assert len(set(spool_content(tmp_path / "spool").times)) == 40


def test_records_in_a_list_under_a_key_are_found_and_what_is_no_object_is_refused(
    tmp_path: Path,
) -> None:
    log = tmp_path / "a.json"
    record = {
        "timeStamp": "2026-03-01T10:00:00+00:00",
        "category": "ApplicationGatewayAccessLog",
        "properties": {"httpStatus": 200, "sentBytes": 5, "sslEnabled": "on", "host": "a.example"},
    }
    log.write_text(
        json.dumps({"records": [record, record, 7]}) + "\n" + json.dumps({"records": [record]})
    )
    form = find_format("azure-application-gateway")
    result = import_files(tmp_path / "spool", log, form=form)
    assert (result.events, dict(result.skipped)) == (3, {"syntax": 1})


def test_a_parquet_file_is_its_rows(tmp_path: Path) -> None:
    log = tmp_path / "a.parquet"
    row = {
        "date": "2026-03-01",
        "time": "10:00:00",
        "x_host_header": "www.example.com",
        "cs_protocol": "https",
        "cs_protocol_version": "HTTP/3.0",
        "sc_status": "200",
        "sc_bytes": "512",
    }
    pq.write_table(pa.Table.from_pylist([row] * 9000), log)
    result = import_files(tmp_path / "spool", log, form=find_format("cloudfront-parquet"))
    assert (result.events, result.problems) == (9000, [])
    found = spool_content(tmp_path / "spool")
    assert (found.classes, found.bytes_sent) == ({"quic": 9000}, 9000 * 512)
    log.write_bytes(log.read_bytes()[:-100])
    assert "damaged Parquet" in str(
        import_files(tmp_path / "other", log, form=find_format("cloudfront-parquet")).problems
    )


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text('a"\\{}[],\n', max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text('k"{[', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    records=st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), max_size=6),
    indent=st.sampled_from([None, 0, 1]),
    array=st.booleans(),
    step=st.integers(1, 40),
)
def test_any_json_documents_come_out_one_a_line_whatever_the_reads(
    records: list[dict[str, object]], indent: int | None, array: bool, step: int
) -> None:
    texts = [json.dumps(each, indent=indent) for each in records]
    text = json.dumps(records, indent=indent) if array else "\n".join(texts)
    source = io.BytesIO(text.encode())
    reader = Documents(lambda _count: source.read(step), "")
    lines = b"".join(iter(lambda: reader.read(11), b"")).splitlines()
    assert [orjson.loads(line) for line in lines] == records
    if array and records:
        assert is_documents(text.encode(), "")


ODD_VALUES = {
    "times finer than Python's": pa.array([1_789_999_000_123_456_789] * 9, pa.timestamp("ns")),
    "the same with a zone": pa.array([1_789_999_000_000_000_001] * 9, pa.timestamp("ns", "UTC")),
    "such times in lists": pa.array(
        [[1_789_999_000_000_000_001]] * 9, pa.list_(pa.timestamp("ns"))
    ),
    "times of day": pa.array([1_000_000_001] * 9, pa.time64("ns")),
    "durations": pa.array([1_000_000_001] * 9, pa.duration("ns")),
    "times of no calendar": pa.array([10**15] * 9, pa.timestamp("s")),
    "days of no calendar": pa.array([10**8] * 9, pa.int32()).cast(pa.date32()),
    "a zone that is none": pa.array([1_789_999_000] * 9, pa.timestamp("s", "Mars/Olympus")),
}


@pytest.mark.parametrize("kind", ODD_VALUES)
def test_e1_values_that_python_has_none_for_end_no_import_of_parquet(
    kind: str, tmp_path: Path
) -> None:
    """Spark and Trino write times in nanoseconds; a column that nobody reads may hold anything."""
    rows = [orjson.loads(nginx_line(number)) for number in range(9)]
    table = pa.Table.from_pylist(rows).append_column("beside", ODD_VALUES[kind])
    log = tmp_path / "a.parquet"
    pq.write_table(table, log)
    assert import_files(tmp_path / "spool", log).events == 9
    pq.write_table(table.drop_columns(["time"]).rename_columns(
        [*(name for name in rows[0] if name != "time"), "time"]), log)  # fmt: skip
    told = import_files(tmp_path / "other", log)
    assert told.events + sum(told.skipped.values()) == 9


def test_times_in_nanoseconds_are_cut_to_milliseconds(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'time = { field = "t", unit = "rfc3339" }\nhost = "h"\nscheme = { value = "https" }\n'
        'status = "s"\nbytes = "b"\n'
    )
    log = tmp_path / "a.parquet"
    times = pa.array([1_789_999_000_123_456_789], pa.timestamp("ns", "UTC"))
    pq.write_table(pa.table({"t": times, "h": ["a.example"], "s": [200], "b": [1]}), log)
    import_files(tmp_path / "spool", log, form=find_format(str(tmp_path / "own.toml")))
    assert spool_content(tmp_path / "spool").times == [1_789_999_000_123]
