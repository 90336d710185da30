"""Field mappings: any JSON-lines log becomes events by a TOML file, or an error says why not."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from edge.errors import ConfigError, InputError
from edge.event import CACHES, CLASSES
from edge.logs.formats.shipped import find_format
from tests.edge.logs.reading import NOW_MS

BASE = {
    "time": '{ field = "t", unit = "s" }',
    "host": '"h"',
    "scheme": '{ field = "s" }',
    "bytes": '"b"',
    "status": '"c"',
}
LINE = {"t": 1_700_000_000, "h": "a.example", "s": "https", "b": 5, "c": 200}


def mapping_file(folder: Path, **changes: str) -> str:
    """A mapping file with other values for some keys."""
    path = folder / "mine.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in {**BASE, **changes}.items()))
    return str(path)


def classes(name: str, *lines: dict[str, object]) -> list[str]:
    """The billing class of each line, or the reason why it is refused."""
    block = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    parsed = find_format(name).make().parse(block, NOW_MS)
    found: dict[int, str] = {refused.row: refused.reason for refused in parsed.refused}
    codes = parsed.columns.class_code.tolist()
    found.update(
        {row: CLASSES[code] for row, code in zip(parsed.rows.tolist(), codes, strict=True)}
    )
    return [found[row] for row in range(len(lines))]


@pytest.mark.parametrize(
    ("unit", "value", "time_ms"),
    [
        ("s", 1_700_000_000, 1_700_000_000_000),
        ("s", 1_700_000_000.25, 1_700_000_000_250),
        ("s", "1700000000.9999", 1_700_000_000_999),
        ("ms", 1_700_000_000_123, 1_700_000_000_123),
        ("ms", "1700000000123.9", 1_700_000_000_123),
        ("us", 1_700_000_000_123_999, 1_700_000_000_123),
        ("ns", 1_700_000_000_123_999_999, 1_700_000_000_123),
        ("ns", "1700000000123999999", 1_700_000_000_123),
        ("rfc3339", "2023-11-14T22:13:20.5Z", 1_700_000_000_500),
        ("rfc3339", "2023-11-15T06:13:20.5+08:00", 1_700_000_000_500),
    ],
)
def test_d14_the_unit_of_time_is_what_the_mapping_says(
    unit: str, value: object, time_ms: int, tmp_path: Path
) -> None:
    name = mapping_file(tmp_path, time=f'{{ field = "t", unit = "{unit}" }}')
    block = orjson.dumps({**LINE, "t": value}) + b"\n"
    parsed = find_format(name).make().parse(block, NOW_MS)
    assert parsed.columns.time_ms.tolist() == [time_ms]


@pytest.mark.parametrize(
    ("unit", "value"), [("s", 1_700_000_000_123), ("ms", 1_700_000_000), ("ns", 1)]
)
def test_d14_a_time_in_another_unit_is_refused_and_never_guessed(
    unit: str, value: int, tmp_path: Path
) -> None:
    name = mapping_file(tmp_path, time=f'{{ field = "t", unit = "{unit}" }}')
    assert classes(name, {**LINE, "t": value}) == ["clock"]


def test_a_duration_is_added_to_the_start_of_a_request(tmp_path: Path) -> None:
    name = mapping_file(
        tmp_path, time='{ field = "t", unit = "s", duration = "d", duration_unit = "ms" }'
    )
    block = orjson.dumps({**LINE, "d": 1500}) + b"\n" + orjson.dumps(LINE) + b"\n"
    parsed = find_format(name).make().parse(block, NOW_MS)
    assert parsed.columns.time_ms.tolist() == [1_700_000_001_500, 1_700_000_000_000]


@pytest.mark.parametrize(
    ("scheme", "key", "values"),
    [
        (
            '{ field = "x" }',
            "x",
            {"http": "http", "https": "https", "wss": "https", "ws": "http", "ftp": "scheme"},
        ),
        (
            '{ url = "x" }',
            "x",
            {
                "https://a.example/b": "https",
                "HTTPS://a.example/b": "https",
                "http://a.example": "http",
                "ftp://a.example": "scheme",
                "/path": "schema",
            },
        ),
        (
            '{ tls = "x" }',
            "x",
            {
                "TLSv1.3": "https",
                "-": "http",
                "": "http",
                "Off": "http",
                "0": "http",
                "none": "http",
                None: "http",
                True: "https",
                False: "http",
            },
        ),
        ('{ port = "x" }', "x", {443: "https", "8443": "https", 80: "http", "?": "schema"}),
        ('{ port = "x", https_ports = [9000] }', "x", {443: "http", 9000: "https"}),
        ('{ value = "https" }', "x", {"http": "https"}),
    ],
)
def test_the_scheme_comes_from_a_field_a_url_tls_a_port_or_is_fixed(
    scheme: str, key: str, values: dict[object, str], tmp_path: Path
) -> None:
    name = mapping_file(tmp_path, scheme=scheme)
    lines = [{**LINE, key: value} for value in values]
    assert classes(name, *lines) == list(values.values())


def test_nested_fields_keys_with_dots_and_an_object_as_the_sign_of_tls(tmp_path: Path) -> None:
    name = mapping_file(
        tmp_path,
        host='"r.host"',
        scheme='{ tls = "r.tls" }',
        bytes='["b.sent"]',
        status='"r.out.status"',
        protocol='"r.proto"',
    )
    line = {
        "t": 1_700_000_000,
        "b.sent": 9,
        "r": {"host": "a.example", "tls": {"v": 1}, "proto": "HTTP/2.0", "out": {"status": 200}},
    }
    quic = {**line, "r": {**line["r"], "proto": "HTTP/3.0"}}  # type: ignore[dict-item]
    plain = {**line, "r": {"host": "a.example", "out": {"status": 200}}}
    odd = {**line, "r": "not an object"}
    assert classes(name, line, quic, plain) == ["https", "quic", "http"]
    assert classes(name, line, quic, plain, odd) == ["https", "quic", "http", "schema"]


def test_host_from_a_url_cache_words_and_other_lines_left_out(tmp_path: Path) -> None:
    name = mapping_file(
        tmp_path,
        host='{ url = "u" }',
        scheme='{ url = "u" }',
        cache='"k"',
        only='{ field = "kind", prefix = "access" }',
    )
    line = {**LINE, "u": "https://u:p@A.example:443/x?y", "k": "HIT", "kind": "access.main"}
    block = orjson.dumps(line) + b"\n" + orjson.dumps({**line, "kind": "debug"}) + b"\n"
    parsed = find_format(name).make().parse(block, NOW_MS)
    assert parsed.columns.domains == ("a.example",)
    assert [CACHES[code] for code in parsed.columns.cache.tolist()] == ["hit"]
    assert [refused.reason for refused in parsed.refused] == ["not_access"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": '{ field = "t", unit = "minutes" }'}, "line 1, key time.unit"),
        ({"scheme": '{ field = "a", port = "b" }'}, "exactly one of field, url, tls, port"),
        ({"scheme": "{}"}, "exactly one of field, url, tls, port"),
        ({"hots": '"h"'}, "line 6, key hots"),
        ({"bytes": "5"}, "key bytes"),
        ({"host": '""'}, "line 2, key host"),
        ({"status": '"a..b"'}, "line 5, key status"),
        ({"scheme": '{ port = "p", https_ports = [] }'}, "line 3, key scheme.https_ports"),
        ({"scheme": '{ port = "p", https_ports = [70000] }'}, "line 3, key scheme.https_ports"),
    ],
)
def test_a_wrong_mapping_names_file_key_and_line(
    changes: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        find_format(mapping_file(tmp_path, **changes))
    assert "mine.toml" in caught.value.message
    assert message in caught.value.message


@pytest.mark.parametrize("protocol", ["HTTP/3.0", "HTTP/3", "h3", "http/3"])
def test_http_3_is_quic_under_each_of_its_names(protocol: str, tmp_path: Path) -> None:
    name = mapping_file(tmp_path, protocol='"p"')
    lines = [{**LINE, "p": protocol}, {**LINE, "p": "h2"}, LINE]
    assert classes(name, *lines) == ["quic", "https", "https"]


def test_an_optional_field_that_no_line_has_is_told_once(tmp_path: Path) -> None:
    """A misspelt `protocol` would bill every HTTP/3 request as plain HTTPS without a word."""
    name = mapping_file(tmp_path, protocol='"portocol"', cache='"k"')
    parser = find_format(name).make()
    block = orjson.dumps({**LINE, "k": "HIT"}) + b"\n"
    assert parser.parse(b"{broken\n", NOW_MS).notes == ()
    assert parser.parse(block, NOW_MS).notes == (
        "no line of the first 1 has «portocol», the field for protocol",
    )
    assert parser.parse(block, NOW_MS).notes == ()


def test_a_mapping_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    name = mapping_file(tmp_path)
    marked = tmp_path / "marked.toml"
    marked.write_bytes(b"\xef\xbb\xbf" + Path(name).read_bytes())
    assert classes(str(marked), LINE) == ["https"]


def test_a_blank_mapping_and_an_unknown_format_are_errors(tmp_path: Path) -> None:
    (tmp_path / "blank.toml").write_text("# nothing\n")
    with pytest.raises(ConfigError, match="blank"):
        find_format(str(tmp_path / "blank.toml"))
    with pytest.raises(ConfigError, match="cannot be read"):
        find_format(str(tmp_path / "none.toml"))
    with pytest.raises(InputError, match="no format «apache»"):
        find_format("apache")
