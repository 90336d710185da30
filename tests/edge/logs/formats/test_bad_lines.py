"""What a hostile or broken line ends as: counted by reason and kept, or counted as an event."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.logs.chunks import LINE_BYTES_MAX
from edge.logs.formats.block import Format, Parsed
from edge.logs.formats.fast_nginx import NAMES, parse_fast_json, parse_fast_tsv
from edge.logs.formats.mapped import MappedParser
from edge.logs.formats.mapping import Mapping
from edge.logs.formats.nginx_tsv import unescape
from edge.logs.formats.shipped import FORMATS, known_mapping
from edge.logs.refused_lines import RejectedLine, RejectedLines
from edge.reasons import Reason
from tests.edge.logs.reading import (
    NOW_MS,
    examples,
    import_files,
    nginx_line,
    nginx_lines,
    spool_content,
)
from tests.effort import PATIENCE_S

MAPPING = known_mapping("nginx")

GOOD = orjson.loads(nginx_line(0))


def changed(**fields: object) -> bytes:
    """A good nginx line with other values; a value of `...` takes the key away."""
    line = {key: value for key, value in {**GOOD, **fields}.items() if value is not ...}
    return orjson.dumps(line) + b"\n"


def reasons(form: str, block: bytes) -> list[str]:
    """Why lines of `block` are refused."""
    return [refused.reason for refused in FORMATS[form].make().parse(block, NOW_MS).refused]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (changed(time=...), "schema"),
        (changed(host=...), "schema"),
        (changed(scheme=None), "schema"),
        (changed(bytes_sent=...), "schema"),
        (changed(time="yesterday"), "clock"),
        (changed(time="1700000000123"), "clock"),
        (changed(time="1700000000123456789"), "clock"),
        (changed(time="9" * 29), "clock"),
        (changed(time="946684799.999"), "clock"),
        (changed(time=f"{NOW_MS // 1000 + 86_401}"), "clock"),
        (changed(time="-1"), "clock"),
        (changed(time="NaN"), "clock"),
        (changed(time="2026-10-01T00:00:00"), "clock"),
        (changed(scheme="ftp"), "scheme"),
        (changed(scheme=""), "scheme"),
        (changed(status="1000"), "status"),
        (changed(status="-1"), "status"),
        (changed(status="2xx"), "status"),
        (changed(status=200.5), "status"),
        (changed(bytes_sent="-1"), "bytes"),
        (changed(bytes_sent="1.5"), "bytes"),
        (changed(bytes_sent=True), "bytes"),
        (changed(bytes_sent=str((1 << 50) + 1)), "bytes"),
        (changed(bytes_sent=str(1 << 63)), "bytes"),
        (changed(bytes_sent="1e3"), "bytes"),
        (b"[1, 2]\n", "syntax"),
        (b"7\n", "syntax"),
        (b'{"time": NaN}\n', "syntax"),
        (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}\n", "syntax"),
        (nginx_line(1).encode()[:-20] + b"\n", "syntax"),
        (nginx_line(1).encode().rstrip() + nginx_line(2).encode(), "syntax"),
    ],
)
def test_d9_to_d14_a_line_that_is_no_event_is_refused_for_its_reason(
    line: bytes, reason: str
) -> None:
    assert reasons("nginx", line) == [reason]
    assert reasons("nginx", nginx_lines(0, 3).encode() + line + nginx_lines(3, 5).encode()) == [
        reason
    ]


@pytest.mark.parametrize(
    "line",
    [
        changed(status="000"),
        changed(status=0),
        changed(status="599"),
        changed(status="600"),
        changed(status="999"),
        changed(bytes_sent=str(1 << 50)),
        changed(time="946684800"),
        changed(time=f"{NOW_MS // 1000 + 86_400}"),
        changed(host="10.0.0.1"),
        changed(host="a_b.example"),
        changed(host="xn--\u0080"),
        changed(host="*"),
        changed(unknown={"deep": [1, 2]}),
        changed(cache=5),
        changed(protocol=None),
        changed(host="a\x00b\r\n.example"),
        b'{"time":"1700000001","host":"\xff\xfe.example","scheme":"http","protocol":"","status":"1",'
        b'"bytes_sent":"2"}\n',
        b'{"time":"1700000001","host":"\\ud800.example","scheme":"http","protocol":"","status":"1",'
        b'"bytes_sent":"2"}\n',
    ],
)
def test_d2_to_d5_and_d15_odd_hosts_and_unknown_fields_still_count(line: bytes) -> None:
    parsed = FORMATS["nginx"].make().parse(line, NOW_MS)
    assert (len(parsed.columns), parsed.refused) == (1, ())


def test_d2_bytes_that_are_no_utf8_count_as_unattributed_in_tsv_too() -> None:
    line = b"1700000000.5\t\xff\xfe.example\thttps\tHTTP/1.1\t200\t1\t-\tx\n"
    parsed = FORMATS["nginx-tsv"].make().parse(line, NOW_MS)
    assert parsed.columns.domains == ("",)
    assert parsed.unattributable == 1


@settings(max_examples=examples(50))
@given(
    rubbish=st.lists(
        st.tuples(st.integers(0, 20), st.binary(max_size=60).filter(lambda raw: b"\n" not in raw)),
        max_size=5,
    ),
    form=st.sampled_from(["nginx", "nginx-tsv", "elb", "fastly", "caddy"]),
)
def test_whatever_bytes_stand_between_good_lines_cost_only_themselves(
    rubbish: list[tuple[int, bytes]], form: str
) -> None:
    good = {
        "nginx": nginx_line(1).encode(),
        "nginx-tsv": b"1700000000.1\ta.example\thttps\tHTTP/1.1\t200\t1\t-\tx\n",
        "elb": b"2023-11-14T22:13:20.1Z lb c:1 t:2 0 0 0 200 200 0 29 "
        b'"GET https://a.example:443/ HTTP/1.1" "u" - -\n',
        "fastly": b'<1>x: {"bytes":1,"date_time":"2023-11-14T22:13:20Z","status":200,'
        b'"url":"https://a.example/"}\n',
        "caddy": b'{"ts":1700000000.1,"logger":"http.log.access","request":{"host":"a.example",'
        b'"proto":"HTTP/1.1"},"size":1,"status":200}\n',
    }[form]
    lines = [good] * 20
    for place, raw in rubbish:
        lines.insert(place, raw + b"\n")
    parsed = FORMATS[form].make().parse(b"".join(lines), NOW_MS)
    blank = sum(1 for _, raw in rubbish if not raw.strip())
    assert len(parsed.columns) == 20
    assert len(parsed.refused) >= len(rubbish) - blank - _blank_in_unicode(rubbish)


def _blank_in_unicode(rubbish: list[tuple[int, bytes]]) -> int:
    """Lines of white space that only Unicode knows as such."""
    texts = [raw.decode("utf-8", "replace") for _, raw in rubbish if raw.strip()]
    return sum(1 for text in texts if not text.strip())


def test_d1_a_host_of_10_megabytes_counts_as_unattributed(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(nginx_lines(0, 2) + nginx_line(2, host="a" * 10_000_000) + nginx_lines(3, 5))
    result = import_files(tmp_path / "spool", log)
    assert result.events == 5
    assert result.unattributable == 1
    assert spool_content(tmp_path / "spool").domains == {"www.example.com": 4, "": 1}


def test_a_line_without_end_of_20_megabytes_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with open(log, "w") as file:
        file.write(nginx_lines(0, 2))
        file.write("x" * (LINE_BYTES_MAX + 4_000_000) + "\n")
        file.write(nginx_lines(2, 5))
    result = import_files(tmp_path / "spool", log)
    assert result.events == 5
    assert result.skipped == {"too_large": 1}
    kept = orjson.loads((tmp_path / "spool" / "rejected" / "lines.jsonl").read_bytes())
    assert (kept["line"], kept["length"], len(kept["raw"])) == (3, LINE_BYTES_MAX + 4_000_000, 4096)
    again = import_files(tmp_path / "spool", log)
    assert (again.events, again.duplicates) == (0, 5)


def test_refused_lines_are_kept_with_reason_place_and_raw_bytes(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    lines = [nginx_line(0).encode(), b"{broken\n", changed(status="9999"), b"\xff\n"]
    log.write_bytes(b"".join(lines))
    result = import_files(tmp_path / "spool", log)
    assert result.skipped == {"syntax": 2, "status": 1}
    kept = [
        orjson.loads(line)
        for line in (tmp_path / "spool" / "rejected" / "lines.jsonl").read_bytes().splitlines()
    ]
    assert [(each["line"], each["reason"]) for each in kept] == [
        (2, "syntax"),
        (3, "status"),
        (4, "syntax"),
    ]
    assert kept[0]["raw"] == "{broken"
    assert kept[2]["raw_base64"] == "/w=="
    assert kept[1]["offset"] == len(lines[0]) + len(lines[1])
    assert RejectedLines(tmp_path / "spool").counts() == {"syntax": 2, "status": 1}


def test_the_folder_of_refused_lines_is_bounded_and_the_counts_stay(tmp_path: Path) -> None:
    rejected = RejectedLines(tmp_path, file_bytes_max=10_000)
    for number in range(100):
        row = RejectedLine(
            source="s",
            name="a.log",
            line=number,
            offset=0,
            length=900,
            reason=Reason.SYNTAX,
            raw=b"x" * 900,
        )
        rejected.keep((row,))
    sizes = [path.stat().st_size for path in rejected.folder.glob("*.jsonl")]
    assert sum(sizes) < 2 * (10_000 + 1_200)
    assert rejected.counts() == {"syntax": 100}


def test_columns_and_line_by_line_agree_on_every_kind_of_value() -> None:
    """The slow reader is the reference of the fast one: each value alone, then both ways."""
    values = [
        0,
        5,
        -5,
        1.5,
        1700000000.123,
        200.0,
        1e12,
        2e-7,
        True,
        False,
        None,
        "",
        "x",
        [1],
        {"a": 1},
        "200",
        2**53,
    ]
    for key in ("time", "host", "scheme", "protocol", "status", "bytes_sent", "cache"):
        for value in values:
            line = changed(**{key: value})
            fast = MappedParser(MAPPING).parse(line, NOW_MS)
            slow = MappedParser(_line_by_line(MAPPING)).parse(line, NOW_MS)
            why = [[(each.row, each.reason) for each in way.refused] for way in (fast, slow)]
            assert why[0] == why[1], (key, value)
            assert fast.columns.domains == slow.columns.domains, (key, value)
            for name in ("time_ms", "carrier", "status", "cache", "bytes_sent"):
                same = getattr(fast.columns, name) == getattr(slow.columns, name)
                assert same.all(), (key, value, name)


def _line_by_line(mapping: Mapping) -> Mapping:
    """The same mapping, read by the slow reader (it is the only one behind a prefix)."""
    return mapping.model_copy(update={"after_prefix": True})


def test_a_format_can_be_made_of_any_mapping() -> None:
    form = Format(name="mine", make=lambda name="": MappedParser(MAPPING))
    assert len(form.make().parse(nginx_lines(0, 4).encode(), NOW_MS).columns) == 4


TSV_VALUES = (
    ("1700000000.123", "1700000000", "1700000000.1239", "x", "", "1e9", " 1", "+1700000000", "NaN"),
    ("a.example", "B.example.", "\\xC3\\xBC.example", "-", "", "a\rb", '"a"', "NA"),
    ("https", "http", "HTTPS", "", "-"),
    ("HTTP/1.1", "HTTP/3.0", "h3", "", "-"),
    ("200", "009", "000", "+200", " 200", "600", "1000", "-", "", "NULL"),
    ("0", "17", "+5", " 5", "5 ", "1.0", "NA", "-1", "0x10", "1125899906842625", "null", ""),
    ("HIT", "MISS", "-", "", "STALE"),
    ("id", "", "\tid", "id\r"),
)
"""Values of each column, the first of which is usual."""


JSON_LINE = (
    '{"time":"1700000000.123","host":"a.example","scheme":"https","protocol":"HTTP/2.0",'
    '"status":"200","bytes_sent":"17","cache":"HIT","id":"x"}'
)
ODD_JSON = (
    JSON_LINE.replace(',"', ', "'),
    JSON_LINE.replace('":"', '": "'),
    JSON_LINE.replace('"id"', '"time"'),
    JSON_LINE.replace('"id"', '"Id"'),
    JSON_LINE.replace('"200"', "200"),
    JSON_LINE.replace(',"id":"x"', ""),
    JSON_LINE.replace('"id"', '"more":"1","id"'),
    JSON_LINE.replace('"x"', '"\\"'),
    JSON_LINE.replace('"x"', '"a\\",\\"host\\":\\"b.example"'),
    JSON_LINE.replace('"x"', '"\x01"'),
    JSON_LINE.replace('"x"', '"\r"'),
    JSON_LINE.replace('"x"', '"ü"'),
    JSON_LINE.replace("a.example", "\\u0061.example"),
    JSON_LINE.replace('"host":"a.example","scheme":"https"', '"scheme":"http","host":"b.example"'),
    JSON_LINE.replace('"scheme":"https"', '"scheme":"","https":""'),
    JSON_LINE.replace('"time":', '"":"time","'),
    JSON_LINE[1:],
    JSON_LINE[:-1],
    JSON_LINE + ",",
    JSON_LINE + JSON_LINE,
    "[" + JSON_LINE + "]",
    JSON_LINE.replace(":", ",").replace(",", ":"),
    "",
    " ",
    "{}",
    "null",
)
"""Lines that differ from a usual one in what stands around the values."""


def same_as_careful(fast: Parsed | None, careful: Parsed, lines: int) -> None:
    """A fast reader said of `lines` lines what the careful one says, or nothing."""
    if fast is None:
        return
    assert [refused.row for refused in careful.refused] == [lines]
    for name in ("time_ms", "carrier", "status", "cache", "bytes_sent"):
        assert getattr(fast.columns, name).tolist() == getattr(careful.columns, name).tolist()
    names = [
        [each.domains[place] for place in each.domain_index.tolist()]
        for each in (fast.columns, careful.columns)
    ]
    assert names[0] == names[1]


def both_ways_tsv(lines: list[tuple[str, ...]]) -> None:
    block = "".join("\t".join(line) + "\n" for line in lines).encode()
    careful = FORMATS["nginx-tsv"].make().parse(block + b"odd line\n", NOW_MS)
    same_as_careful(parse_fast_tsv(block, NOW_MS, unescape), careful, len(lines))


def both_ways_json(lines: list[str]) -> None:
    block = "".join(line + "\n" for line in lines).encode()
    careful = MappedParser(MAPPING).parse(block + b"odd line\n", NOW_MS)
    same_as_careful(parse_fast_json(block, NOW_MS), careful, len(lines))


def as_json(values: tuple[str, ...]) -> str:
    """`values` as nginx writes them, quotes, backslashes and control characters escaped."""
    return orjson.dumps(dict(zip(NAMES, values, strict=True))).decode()


def test_the_fast_readers_agree_on_every_odd_value_alone() -> None:
    usual = tuple(values[0] for values in TSV_VALUES)
    for column, values in enumerate(TSV_VALUES):
        for value in values:
            line = (*usual[:column], value, *usual[column + 1 :])
            both_ways_tsv([line])
            both_ways_json([as_json(line)])
            both_ways_json([as_json(usual), as_json(line)])


@pytest.mark.parametrize("odd", ODD_JSON)
def test_the_fast_reader_of_json_agrees_on_every_odd_line(odd: str) -> None:
    for lines in ([odd], [JSON_LINE, odd], [odd, JSON_LINE], [JSON_LINE, odd, JSON_LINE]):
        both_ways_json(lines)


def test_what_one_line_lacks_another_does_not_make_up_for() -> None:
    without, twice = JSON_LINE.replace("time", "", 1), JSON_LINE.replace("time", "timetime", 1)
    both_ways_json([JSON_LINE, without, twice])


@settings(max_examples=examples(50))
@given(data=st.data())
def test_the_fast_reader_of_json_agrees_wherever_a_line_is_damaged(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(JSON_LINE)))
    length = data.draw(st.integers(0, 3))
    text = data.draw(st.text('":,{}\\ x1\t', max_size=3))
    damaged = JSON_LINE[:place] + text + JSON_LINE[place + length :]
    both_ways_json([JSON_LINE, damaged])
    both_ways_json([damaged])


@settings(max_examples=examples(50))
@given(lines=st.lists(st.tuples(*(st.sampled_from(each[:4]) for each in TSV_VALUES)), max_size=4))
def test_the_fast_readers_say_what_the_careful_one_says_or_nothing(
    lines: list[tuple[str, ...]],
) -> None:
    both_ways_tsv(lines)
    both_ways_json([as_json(line) for line in lines])


def test_a_usual_block_of_tsv_takes_the_fast_way() -> None:
    line = b"1700000000.500\ta.example\thttps\tHTTP/3.0\t009\t7\tHIT\tx\n"
    assert parse_fast_tsv(line * 3, NOW_MS, unescape) is not None


def test_a_usual_block_of_json_takes_the_fast_way_in_whatever_order_its_fields_are() -> None:
    other = JSON_LINE.replace('"host":"a.example","scheme":"https"', '"scheme":"http","host":"b.c"')
    for line in (JSON_LINE, other):
        assert parse_fast_json((line + "\n").encode() * 3, NOW_MS) is not None
    assert parse_fast_json((JSON_LINE + "\n" + other + "\n").encode(), NOW_MS) is None


SIGNALLED = """
import os, signal, threading
from edge.logs.formats.fast_nginx import parse_fast_json
from edge.logs.walking import walk
walk.WORTH_BYTES = 0
seen = []
signal.signal(signal.SIGTERM, lambda *_: seen.append(1))
done = threading.Event()
def send():
    while not done.wait(0.0005):
        os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=send, daemon=True).start()
block = open(0, "rb").read()
while len(seen) < 200:
    assert parse_fast_json(block, {now}) is not None
done.set()
"""


def test_a_signal_does_not_cut_the_reading_of_a_block_short() -> None:
    block = (JSON_LINE + "\n").encode() * 20_000
    program = SIGNALLED.format(now=NOW_MS)
    ended = subprocess.run(
        [sys.executable, "-c", program],
        input=block,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


CONFINED = """
import resource
from edge.logs.formats.fast_nginx import parse_fast_json
from edge.logs.formats.shipped import FORMATS
from edge.logs.walking import walk
walk.WORTH_BYTES = 0
block = open(0, "rb").read()
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
for _ in range(2):
    assert parse_fast_json(block, {now}) is None
    assert len(FORMATS["nginx"].make().parse(block, {now}).rows) == 3
assert walk._refused
"""


def test_where_nothing_compiled_may_run_lines_are_read_the_careful_way_and_it_is_told() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CONFINED.format(now=NOW_MS)],
        input=(JSON_LINE + "\n").encode() * 3,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    told = ended.stderr.decode().splitlines()
    assert (ended.returncode, len(told)) == (0, 1), told
    assert "this machine runs no compiled program" in told[0]


def test_a_half_kept_line_and_damaged_counts_stop_no_agent(tmp_path: Path) -> None:
    folder = tmp_path / "rejected"
    folder.mkdir()
    (folder / "lines.jsonl").write_text('{"half')
    (folder / "counts.json").write_text("")
    log = tmp_path / "a.log"
    log.write_text("{broken\n" + nginx_lines(0, 1))
    assert import_files(tmp_path, log).events == 1
    _, kept = (folder / "lines.jsonl").read_text().splitlines()
    assert orjson.loads(kept)["reason"] == "syntax"
    assert orjson.loads((folder / "counts.json").read_bytes()) == {"syntax": 1}
    assert "counted from those that are kept" in RejectedLines(tmp_path).damage()[0]
    (folder / "counts.damaged.json").unlink()
    assert RejectedLines(tmp_path).damage() == []


@pytest.mark.parametrize("damaged", [b"", b"[]", b'{"syntax": "9"}', b'{"syntax": -1}', b"\0" * 9])
def test_m2_damaged_counts_are_told_and_counted_from_the_kept_lines(
    tmp_path: Path, damaged: bytes
) -> None:
    log, rejected = tmp_path / "a.log", RejectedLines(tmp_path)
    log.write_text("{broken\n{broken too\n" + nginx_lines(0, 1))
    import_files(tmp_path, log)
    assert (rejected.counts(), rejected.damage()) == ({"syntax": 2}, [])
    (rejected.folder / "counts.json").write_bytes(damaged)
    assert rejected.counts() == {"syntax": 2}
    assert "counts.json was damaged" in rejected.damage()[0]
