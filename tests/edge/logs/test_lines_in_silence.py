"""Lines that used to be lost, misread or deadly in silence (issue 11: E1, E5, E6, E8, E9)."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.logs.followed import Log
from edge.logs.formats.block import Format, Parsed, no_columns, no_rows, parse_whatever
from edge.logs.formats.shipped import FORMATS, find_format
from edge.logs.formats.times import duration_ms
from edge.logs.guessing import looks_like
from edge.logs.refused_lines import RejectedLines
from edge.logs.streams import Writer
from edge.logs.tail import Tailer
from edge.reasons import Reason
from tests.edge.logs.reading import (
    NOW_MS,
    examples,
    import_files,
    nginx_line,
    open_spool,
)
from tests.edge.logs.samples import SAMPLES

TSV = b"1789999000.{}\twww.example.com\thttps\tHTTP/2.0\t200\t100\tHIT\ta\n"
CLOUDFRONT_FIELDS = (
    b"#Version: 1.0\n#Fields: date time x-host-header cs-protocol sc-status sc-bytes"
    b" x-edge-result-type\n"
)
CLOUDFRONT_LINE = b"2026-09-21\t10:00:00\twww.example.com\thttps\t200\t100\tHit\n"


def tail_once(folder: Path, log: Path, form: str) -> Tailer:
    """A fresh agent that reads all of `log`."""
    with open_spool(folder) as spool:
        writer = Writer(spool, RejectedLines(folder))
        logs = [Log(path=log, form=FORMATS[form])]
        tailer = Tailer(writer, spool.positions(), logs, now_ms=lambda: NOW_MS)
        tailer.begin("beginning")
        tailer.cycle(final=True)
        return tailer


def torn(line: bytes, fields: int) -> bytes:
    """The beginning of `line`: its first `fields` fields, without a line end."""
    return b"\t".join(line.rstrip(b"\n").split(b"\t")[:fields])


@pytest.mark.parametrize("fields", range(2, 8))
@pytest.mark.parametrize(
    ("form", "head", "line"),
    [
        ("nginx-tsv", b"", TSV.replace(b"{}", b"000")),
        ("cloudfront", CLOUDFRONT_FIELDS, CLOUDFRONT_LINE),
        ("cloudfront", b"", CLOUDFRONT_LINE),
    ],
)
def test_e1_a_torn_first_line_costs_itself_alone(
    form: str, head: bytes, line: bytes, fields: int, tmp_path: Path
) -> None:
    log = tmp_path / "j.tsv"
    log.write_bytes(head + torn(line, fields) + line + line)
    expected = (1, {"schema": 1}) if form == "nginx-tsv" or head else (0, {"schema": 2})
    result = import_files(tmp_path / "imported", log, form=form)
    assert (result.events, dict(result.skipped)) == expected
    tailer = tail_once(tmp_path / "tailed", log, form)
    assert (tailer.writer.events, dict(tailer.writer.skipped)) == expected
    looks_like(log.read_bytes(), NOW_MS)


@pytest.mark.parametrize("records", [2, 3, 9, 400])
def test_e1_any_number_of_records_run_together_is_one_line_too_wide(
    records: int, tmp_path: Path
) -> None:
    log = tmp_path / "a.tsv"
    line = TSV.replace(b"{}", b"000")
    together = line.rstrip(b"\n") * records + b"\n"
    log.write_bytes(together + line * 3 + together + line)
    result = import_files(tmp_path / "spool", log, form="nginx-tsv")
    assert (result.events, dict(result.skipped)) == (4, {"schema": 2})
    assert RejectedLines(tmp_path / "spool").counts() == {"schema": 2}


@pytest.mark.parametrize("form", FORMATS)
def test_e1_the_lines_of_any_other_format_end_no_reader(form: str, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"".join(sample.text.encode() for sample in SAMPLES))
    lines = sum(1 for text in log.read_bytes().split(b"\n") if text.strip())
    result = import_files(tmp_path / "spool", log, form=form)
    assert result.problems == []
    directives = 3 if FORMATS[form].directives else 0
    assert result.lines == lines - directives


class Falls:
    """A parser with a defect: it falls over lines that hold `!`, and may fall in any way."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def recall(self, directives: list[bytes]) -> None:
        """It has none."""

    def parse(self, block: bytes, now_ms: int) -> Parsed:
        """The events of the block, or the defect."""
        if b"!" in block:
            raise self.error
        return FORMATS["nginx-tsv"].make().parse(block, now_ms)


@pytest.mark.parametrize("error", [ValueError("x"), RecursionError(), MemoryError(), KeyError("a")])
@pytest.mark.parametrize("places", [(0,), (19,), (3, 4, 11), tuple(range(20))])
def test_e1_a_defect_of_a_reader_costs_only_the_lines_it_falls_over(
    error: Exception, places: tuple[int, ...], tmp_path: Path
) -> None:
    log = tmp_path / "a.tsv"
    good = TSV.replace(b"{}", b"000")
    log.write_bytes(b"".join(b"!\n" if n in places else good for n in range(20)))
    form = Format(name="falls", make=lambda name="": Falls(error))
    result = import_files(tmp_path / "spool", log, form=form)
    assert (result.events, result.skipped[Reason.ERROR]) == (20 - len(places), len(places))
    assert any("please report it" in note for note in result.notes)
    kept = (tmp_path / "spool" / "rejected" / "lines.jsonl").read_bytes().splitlines()
    assert [orjson.loads(line)["line"] for line in kept] == [place + 1 for place in places]


def test_e1_an_interruption_is_no_defect() -> None:
    with pytest.raises(KeyboardInterrupt):
        parse_whatever(Falls(KeyboardInterrupt()), b"!\n" * 4, NOW_MS)


def test_e1_a_blank_line_that_a_reader_falls_over_is_no_data_line() -> None:
    class FallsAlways(Falls):
        def parse(self, block: bytes, now_ms: int) -> Parsed:
            raise self.error

    parsed = parse_whatever(FallsAlways(ValueError("x")), b"\n \nx\n", NOW_MS)
    assert (len(parsed.columns), [row.row for row in parsed.refused]) == (0, [2])
    assert len(no_columns()) == len(no_rows()) == 0


SCHEMES = {
    "http": "http",
    "ws": "http",
    "https": "https",
    "wss": "https",
    "grpcs": "https",
    "h2": "https",
    "HTTPS": "https",
    "Wss": "https",
    "GRPCS": "https",
    "H2": "https",
    "WS": "http",
    "ftp": "scheme",
    "httpss": "scheme",
    "tcp": "scheme",
}


def class_or_reason(form: str, block: bytes) -> str:
    """What the one data line of `block` ends as."""
    parsed = FORMATS[form].make().parse(block, NOW_MS)
    if parsed.refused:
        return parsed.refused[0].reason.value
    return ("http", "https", "quic")[int(parsed.columns.class_code[0])]


@pytest.mark.parametrize(("word", "meaning"), SCHEMES.items())
def test_e5_the_schemes_are_one_table_for_all_formats(word: str, meaning: str) -> None:
    raw = word.encode()
    alb = (
        raw + b" 2023-11-14T22:13:20.1Z app/lb/1 192.0.2.1:1 10.0.0.1:80 0 0 0 200 200 5 257 "
        b'"GET https://www.example.com:443/ HTTP/2.0" "curl" - - arn:x "Root=1" "-" "-" 1\n'
    )
    elb = (
        b"2023-11-14T22:13:20.1Z lb 192.0.2.1:1 10.0.0.1:80 0.1 0.2 0.3 200 200 0 29 "
        b'"GET ' + raw + b'://www.example.com:443/ HTTP/1.1" "curl" - -\n'
    )
    fastly = orjson.dumps(
        {
            "bytes": 1,
            "date_time": "2023-11-14T22:13:20Z",
            "status": 200,
            "url": f"{word}://a.example/",
        }
    )
    lines = {
        "cloudfront": CLOUDFRONT_FIELDS + CLOUDFRONT_LINE.replace(b"https", raw),
        "nginx": nginx_line(0, scheme=word).encode(),
        "nginx-tsv": TSV.replace(b"{}", b"000").replace(b"https", raw),
        "alb": alb,
        "elb": elb,
        "fastly": b"<1>x: " + fastly + b"\n",
    }
    assert {form: class_or_reason(form, block) for form, block in lines.items()} == dict.fromkeys(
        lines, meaning
    )


@pytest.mark.parametrize(
    ("request_line", "host", "kind"),
    [
        ("- http://www.example.com:80- -", "www.example.com", "http"),
        ("- https://www.example.com:443- -", "www.example.com", "https"),
        ("- http://www.example.com- -", "www.example.com", "http"),
        ("- http://WWW.example.com.:80- -", "www.example.com", "http"),
        ("- http://xn--bcher-kva.example:8080- -", "xn--bcher-kva.example", "http"),
        ("- http://10.0.0.1:80- -", "", "http"),
        ("- http://my_app.example.com:80- -", "my_app.example.com", "http"),
        ("GET http://www.example.com:80/a- HTTP/1.1", "www.example.com", "http"),
        ("GET http://www.example.com:80 HTTP/1.1", "www.example.com", "http"),
        ("GET http://a-b.example.com:80/ HTTP/1.1", "a-b.example.com", "http"),
    ],
)
@pytest.mark.parametrize("form", ["elb", "alb"])
def test_e6_a_request_that_a_balancer_could_not_parse_keeps_its_host(
    form: str, request_line: str, host: str, kind: str
) -> None:
    classic = (
        "2023-11-14T22:13:20.1Z lb 192.0.2.1:1 - -1 -1 -1 400 0 0 0 " + f'"{request_line}" "-" - -'
    )
    line = classic if form == "elb" else f"{kind} {classic}"
    parsed = FORMATS[form].make().parse(line.encode() + b"\n", NOW_MS)
    assert (parsed.columns.domains, parsed.refused) == ((host,), ())
    assert class_or_reason(form, line.encode() + b"\n") == kind


MAPPING = (
    'time = {{ field = "start", unit = "s", duration = "took", duration_unit = "{unit}" }}\n'
    'host = "h"\nscheme = {{ value = "https" }}\nstatus = "s"\nbytes = "b"\n'
)


@pytest.mark.parametrize(
    ("text", "unit", "ms"),
    [
        ("3600.5s", "ms", 3_600_500),
        ("3600.5", "s", 3_600_500),
        ("250ms", "s", 250),
        ("250 ms", "ns", 250),
        ("1.5S", "ms", 1_500),
        ("90m", "ms", 5_400_000),
        ("1h2m3.5s", "ms", 3_723_500),
        ("1h 2m", "ms", 3_720_000),
        ("1500us", "ms", 1),
        ("1500µs", "ms", 1),
        ("2000000ns", "s", 2),
        ("3 sec", "ms", 3_000),
        ("1e3", "ms", 1_000),
        ("1.5e-3", "s", 1),
        (".5s", "ms", 500),
        ("0", "s", 0),
        ("-", "s", 0),
        ("", "s", 0),
        (None, "s", 0),
        (7, "s", 7_000),
        (0.25, "s", 250),
    ],
)
def test_e9_a_duration_is_read_with_its_unit(
    text: object, unit: str, ms: int, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(MAPPING.format(unit=unit))
    line = orjson.dumps({"start": 1789990000, "took": text, "h": "a.example", "s": 200, "b": 1})
    parsed = find_format(str(tmp_path / "own.toml")).make().parse(line + b"\n", NOW_MS)
    assert parsed.columns.time_ms.tolist() == [1_789_990_000_000 + ms]


@pytest.mark.parametrize(
    "text",
    ["3600.5x", "-5", "-1s", "NaN", "inf", "1:00:00", "PT1H", "s", "1h2", "1 2", "abc", "1e400s",
     "1_000", "٣", "１", "5ſ", "5 mın", "1,5", "1'000"],
)  # fmt: skip
@pytest.mark.parametrize("beside", ["1", "2s"])
def test_e9_a_duration_that_cannot_be_read_is_refused_with_its_fields_name(
    text: str, beside: str, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(MAPPING.format(unit="s"))
    fields = {"start": 1789990000, "h": "a.example", "s": 200, "b": 1}
    lines = [orjson.dumps(fields | {"took": took}) for took in (beside, text, beside)]
    parsed = find_format(str(tmp_path / "own.toml")).make().parse(b"\n".join(lines), NOW_MS)
    assert len(parsed.columns) == 2
    ((row, reason, detail),) = [(each.row, each.reason, each.detail) for each in parsed.refused]
    assert (row, reason) == (1, Reason.CLOCK)
    assert detail == f"took «{text}» cannot be read"


@settings(max_examples=examples(200))
@given(st.text(max_size=12))
def test_e9_any_text_is_a_duration_or_none(text: str) -> None:
    found = duration_ms(text, "s")
    assert found is None or found >= 0
