"""What a mapping can say of the parts of an event: times, fallbacks, words, ports, other lines."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from edge.errors import ConfigError, InputError
from edge.logs.formats.shipped import find_format
from tests.edge.logs.formats.test_formats import told
from tests.edge.logs.reading import NOW_MS, import_files, spool_content

LINE = {"t": "1700000000", "h": "a.example", "s": "https", "b": 5, "c": 200}
BASE = {
    "time": '{ field = "t", unit = "s" }',
    "host": '"h"',
    "scheme": '{ field = "s" }',
    "bytes": '"b"',
    "status": '"c"',
}
AT_MS = 1_700_000_000_000


def mapping_file(folder: Path, **changes: str) -> str:
    path = folder / "mine.toml"
    keys = {key: value for key, value in {**BASE, **changes}.items() if value}
    path.write_text("".join(f"{key} = {value}\n" for key, value in keys.items()))
    return str(path)


def read(name: str, *lines: dict[str, object] | str, **said: str) -> list[object]:
    """Per line: the event (time, host, class, status, bytes, cache), or why it is none."""
    block = b"".join(
        (line.encode() if isinstance(line, str) else orjson.dumps(line)) + b"\n" for line in lines
    )
    parsed = find_format(name, **said).make("a.log").parse(block, NOW_MS)
    found: dict[int, object] = dict(zip(parsed.rows.tolist(), told(parsed), strict=True))
    found |= {each.row: each.reason.value for each in parsed.refused}
    return [found[row] for row in sorted(found)]


@pytest.mark.parametrize(
    ("time", "text", "expected"),
    [
        ('{ field = "t", format = "%d/%b/%Y:%T %z" }', "14/Nov/2023:23:13:20 +0100", AT_MS),
        ('{ field = "t", unit = "clf" }', "15/Nov/2023:06:13:20 +0800", AT_MS),
        (
            '{ field = "t", format = "%Y-%m-%d %H:%M:%S%.f", zone = "Asia/Shanghai" }',
            "2023-11-15 06:13:20.25",
            AT_MS + 250,
        ),
        ('{ field = "t", format = "%Y%m%d%H%M%S", zone = "+05:45" }', "20231115035820", AT_MS),
        ('{ field = "t", unit = "rfc3339", zone = "UTC" }', "2023-11-14 22:13:20", AT_MS),
        ('{ field = "t", unit = "rfc3339", zone = "UTC" }', "2023-11-14T23:13:20+01:00", AT_MS),
        ('{ field = "t", unit = "epoch" }', "1700000000.5", AT_MS + 500),
        ('{ field = "t", unit = "epoch" }', "1700000000123", AT_MS + 123),
        ('{ field = "t", unit = "epoch" }', "1700000000123456", AT_MS + 123),
        ('{ field = "t", unit = "epoch" }', "1700000000123456789", AT_MS + 123),
        ('{ field = "t", unit = "epoch" }', "17000000001", "clock"),
        ('{ field = "t", format = "%H:%M:%S %d.%m.%Y", zone = "UTC" }', "23:59:60 31.12.2016",
         1_483_228_799_000),
        # Summer time in Berlin began on 26 March 2023 at 2:00 and ended on 29 October at 3:00.
        ('{ field = "t", format = "%F %T", zone = "Europe/Berlin" }', "2023-10-29 01:59:59",
         1_698_537_599_000),
        ('{ field = "t", format = "%F %T", zone = "Europe/Berlin" }', "2023-10-29 02:30:00",
         "clock"),
        ('{ field = "t", format = "%F %T", zone = "Europe/Berlin" }', "2023-03-26 02:30:00",
         "clock"),
        ('[{ field = "t", unit = "s" }, { field = "t", unit = "rfc3339" }]',
         "2023-11-14T22:13:20Z", AT_MS),
    ],
)  # fmt: skip
def test_a_time_is_read_as_the_mapping_says_or_refused(
    time: str, text: str, expected: object, tmp_path: Path
) -> None:
    (found,) = read(mapping_file(tmp_path, time=time), {**LINE, "t": text})
    assert (found if isinstance(found, str) else found[0]) == expected  # type: ignore[index]


def test_a_time_in_two_fields_is_joined_and_a_duration_with_a_letter_added(tmp_path: Path) -> None:
    name = mapping_file(
        tmp_path,
        time='{ fields = ["d", "t"], format = "%Y-%m-%d %H:%M:%S", zone = "UTC", duration = "l" }',
    )
    line = {**LINE, "d": "2023-11-14", "t": "22:13:20"}
    assert [row if isinstance(row, str) else row[0] for row in read(
        name, {**line, "l": "1.5s"}, {**line, "l": 250}, {**line, "l": "soon"}, {**line, "d": None}
    )] == [AT_MS + 1500, AT_MS + 250, "clock", "schema"]  # type: ignore[index]  # fmt: skip


def test_fallbacks_defaults_constants_and_parts_of_a_text(tmp_path: Path) -> None:
    name = mapping_file(
        tmp_path,
        host='{ first = ["x", "h"] }',
        bytes='{ field = "b", default = 0 }',
        status='{ field = "c", extract = "^HTTP ([0-9]+)", default = 0 }',
        scheme='"https"',
        protocol='{ field = "q", quic = ["TRUE", "1"] }',
        cache='{ field = "k", hit = ["served"], miss = ["fetched"] }',
    )
    assert read(
        name,
        {**LINE, "x": "-", "b": None, "c": "HTTP 404 not found", "q": True, "k": "Served"},
        {**LINE, "x": "b.example", "b": "-", "c": "none", "q": "0", "k": "FETCHED"},
    ) == [
        (AT_MS, "a.example", "quic", 404, 0, "hit"),
        (AT_MS, "b.example", "https", 0, 0, "miss"),
    ]


@pytest.mark.parametrize(
    ("scheme", "values"),
    [
        (
            '{ field = "s", https = "~$" }',
            {"web~": "https", "web": "http", "": "http", None: "schema"},
        ),
        (
            '{ field = "s", https = "^on$", http = "^off$" }',
            {"on": "https", "off": "http", "maybe": "scheme"},
        ),
        (
            '{ port = "s", https_ports = [443], http_ports = [80] }',
            {
                "10.0.0.1:443": "https",
                "[::1]:80": "http",
                "https://a.example:443/x": "https",
                "8080": "scheme",
                "a.example": "schema",
                "::1": "schema",
            },
        ),
        (
            '[{ field = "u", https = "^TLS" }, { field = "s" }]',
            {"http": "http", "ftp": "scheme", None: "schema"},
        ),
    ],
)
def test_a_scheme_by_a_flag_a_name_or_a_port_is_never_guessed(
    scheme: str, values: dict[str | None, str], tmp_path: Path
) -> None:
    name = mapping_file(tmp_path, scheme=scheme)
    found = read(name, *({**LINE, "s": value} for value in values))
    kinds = [row if isinstance(row, str) else row[2] for row in found]  # type: ignore[index]
    assert kinds == list(values.values())


def test_other_lines_are_left_out_by_several_words_whatever_their_case(tmp_path: Path) -> None:
    name = mapping_file(
        tmp_path,
        only='{ field = "k", is = ["Access", "request"] }',
        **{"except": '[{ field = "z", is = ["health"] }, { field = "z", prefix = "internal" }]'},
        no_request='{ field = "h", is = ["-"] }',
    )
    rows = [
        {**LINE, "k": "ACCESS"},
        {**LINE, "k": "request", "z": "Health"},
        {**LINE, "k": "request", "z": "internal/x"},
        {**LINE, "k": "error"},
        {**LINE, "k": "access", "h": "-"},
    ]
    found = read(name, *rows)
    assert [row if isinstance(row, str) else "event" for row in found] == [
        "event", "not_access", "not_access", "not_access", "not_http",
    ]  # fmt: skip


CSV = {
    "time": '{ field = "when", unit = "s" }',
    "host": '"site, name"',
    "scheme": '{ field = "scheme" }',
    "bytes": '"bytes"',
    "status": '"status"',
}
CSV_LINES = (
    'when,"site, name",scheme,status,bytes',
    "1700000000,a.example,https,200,5",
    '1700000000,"a.example",http,200,5',
    "1700000000,,https,200,5",
    "1700000000,a.example,https,200",
    '1700000000,"a.example,https,200,5',
    'when,"site, name",scheme,status,bytes',
    "1700000000,a.example,https,200,5,6",
)


def test_csv_with_a_head_is_read_by_its_names_and_goes_on_after_it(tmp_path: Path) -> None:
    name = mapping_file(tmp_path, **CSV, columns="{ head = true }")
    assert read(name, *CSV_LINES) == [
        (AT_MS, "a.example", "https", 200, 5, None),
        (AT_MS, "a.example", "http", 200, 5, None),
        (AT_MS, "", "https", 200, 5, None),
        "schema",
        "schema",
        "schema",
    ]
    log = tmp_path / "a.csv"
    log.write_text("\n".join(CSV_LINES[:2]) + "\n")
    assert import_files(tmp_path / "spool", log, form=find_format(name)).events == 1
    log.write_text("\n".join(CSV_LINES[:3]) + "\n")
    again = import_files(tmp_path / "spool", log, form=find_format(name))
    assert (again.events, again.duplicates, again.lines) == (1, 1, 2)
    assert spool_content(tmp_path / "spool").classes == {"https": 1, "http": 1}


def test_columns_without_a_head_a_pattern_and_a_syslog_prefix(tmp_path: Path) -> None:
    names = 'names = ["t", "h", "s", "c", "b"]'
    bars = mapping_file(tmp_path, columns=f'{{ {names}, separator = "|", quote = "" }}')
    assert read(bars, "1700000000|a.example|https|200|5")[0] == (
        AT_MS, "a.example", "https", 200, 5, None,
    )  # fmt: skip
    pattern = "'^(?P<t>[0-9]+) (?P<h>[^ ]+) (?P<s>[a-z]+) (?P<c>[0-9]+)(?: (?P<b>[0-9]+))?$'"
    text = mapping_file(tmp_path, pattern=pattern, after_prefix="true")
    assert read(
        text,
        "1700000000 a.example https 200 5",
        "<190>Nov 14 22:13:20 web1 nginx[7]: 1700000000 a.example http 200 5",
        "<190>1 2023-11-14T22:13:20Z web1 nginx 7 - - 1700000000 a.example http 200 5",
        "1700000000 a.example https 200",
        "nothing of the kind",
    ) == [
        (AT_MS, "a.example", "https", 200, 5, None),
        (AT_MS, "a.example", "http", 200, 5, None),
        (AT_MS, "a.example", "http", 200, 5, None),
        "schema",
        "syntax",
    ]


def test_the_host_out_of_the_files_name_tells_equal_lines_apart(tmp_path: Path) -> None:
    name = mapping_file(tmp_path, host='"file.site"', file_name="'^(?P<site>[^_]+)_[0-9]+'")
    one, two, copy = (
        tmp_path / each for each in ("a.example_1.log", "b.example_1.log", "a.example_2.log")
    )
    for path in (one, two, copy):
        path.write_bytes(orjson.dumps(LINE) + b"\n")
    form = find_format(name)
    result = import_files(tmp_path / "spool", one, two, copy, form=form)
    assert (result.events, result.duplicates) == (2, 1)
    assert spool_content(tmp_path / "spool").domains == {"a.example": 1, "b.example": 1}


def test_what_is_said_beside_a_mapping_fills_what_its_lines_lack(tmp_path: Path) -> None:
    name = mapping_file(tmp_path, scheme="", port='"p"')
    with pytest.raises(InputError, match="does not say the scheme"):
        find_format(name)
    line = {**LINE, "h": None, "p": 443}
    assert read(name, line, LINE, scheme="http", host="b.example") == [
        (AT_MS, "b.example", "http", 200, 5, None),
        (AT_MS, "a.example", "http", 200, 5, None),
    ]
    by_port = read(name, {**LINE, "p": 443}, {**LINE, "p": 80}, {**LINE, "p": 81}, scheme="port")
    assert [row if isinstance(row, str) else row[2] for row in by_port] == [
        "https", "http", "scheme",
    ]  # type: ignore[index]  # fmt: skip


def test_all_faults_of_a_mapping_are_told_at_once(tmp_path: Path) -> None:
    name = mapping_file(
        tmp_path,
        time='{ field = "t", format = "%Y-%m-%d", zone = "Mars/North" }',
        scheme='{ feld = "s" }',
        bytes="",
        pattern="'^(?P<t>[^ ]+'",
    )
    with pytest.raises(ConfigError) as told_:
        find_format(name)
    for part in (
        "line 1, key time.zone: this is no time zone",
        "key scheme.feld: this key is not known here",
        "key pattern: this is no pattern: unclosed group",
    ):
        assert part in told_.value.message
    name = mapping_file(tmp_path, bytes="", host='"x"', pattern="'^(?P<t>.)(?P<s>.)(?P<c>.)'")
    with pytest.raises(ConfigError, match=r"key bytes: .*missing.*no field «x»; use t, s, c"):
        find_format(name)
