"""A line that says a field twice is refused by every reader: two of them would take two values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.logs.formats.block import Parsed
from edge.logs.formats.mapping import Path as FieldPath
from edge.logs.formats.shipped import FORMATS, find_format, known_mapping
from edge.usage.importing import UsageImporter
from tests.edge.logs.reading import NOW_MS, import_files, nginx_line, nginx_lines, open_spool

JSON = [name for name in FORMATS if FORMATS[name].json]
TWICE = ("syntax", "a field stands in it twice")


def doubled(found: dict[str, object], path: FieldPath, key_again: str = "") -> str:
    """`found` as JSON with the field `path` twice, with two values; "" where it has it not."""
    pairs: list[str] = []
    for key, value in found.items():
        inside = json.dumps(value)
        if key == path[0] and len(path) > 1:
            inside = doubled(value, path[1:]) if isinstance(value, dict) else ""
            if not inside:
                return ""
        pairs.append(f"{json.dumps(key)}:{inside}")
        if path == (key,):
            pairs.insert(0, f'{key_again or json.dumps(key)}:"other"')
    return "{" + ",".join(pairs) + "}" if path[0] in found else ""


def read(name: str, *lines: str) -> Parsed:
    about = known_mapping(name).about
    assert about is not None
    form = find_format(name, scheme=about.scheme or "", host=about.host or "")
    return form.make().parse("".join(line + "\n" for line in lines).encode(), NOW_MS)


def refusals(parsed: Parsed) -> list[tuple[int, str, str]]:
    return [(each.row, each.reason.value, each.detail) for each in parsed.refused]


@pytest.mark.parametrize("name", JSON)
def test_a_line_with_a_field_twice_is_refused_in_columns_and_line_by_line(name: str) -> None:
    about = known_mapping(name).about
    assert about is not None
    lines = about.sample.splitlines()
    good = lines[int(read(name, *lines).rows[0])]
    found = json.loads(good[good.index("{") :])
    tried = 0
    for path in known_mapping(name).fields():
        for step in {path[:1], path}:
            bad = doubled(found, step)
            if not bad:
                continue
            tried += 1
            assert refusals(read(name, good, bad, good)) == [(1, *TWICE)], step
            parsed = read(name, good, "{broken", bad)  # for one bad line a block is read slowly
            assert refusals(parsed)[1:] == [(2, *TWICE)], step
    assert tried >= 5


def test_the_same_name_elsewhere_in_a_line_and_a_null_are_no_second_field() -> None:
    line = json.dumps(
        {
            "level": "info",
            "ts": 1772359200.5,
            "logger": "http.log.access",
            "request": {
                "proto": "HTTP/2.0",
                "host": "a.example",
                "headers": {"Status": ['"status":1'], "size": ["{", "}"]},
                "tls": {"proto": "h2", "host": "b.example", "status": 1, "size": {"ts": 2}},
            },
            "size": 7,
            "status": 200,
        }
    )
    assert read("caddy", line, line).refused == ()
    assert (
        read(
            "openresty-json",
            *[
                '{"msec":"1772359200.5","time_iso8601":null,"host":"a.example","scheme":"https","status":200,'
                '"bytes_sent":5,"upstream_cache_status":null}'
            ]
            * 2,
        ).refused
        == ()
    )


def test_a_field_that_is_written_with_escapes_is_the_same_field() -> None:
    good = nginx_line(1).rstrip()
    bad = doubled(json.loads(good), ("host",), '"\\u0068ost"')
    assert refusals(read("nginx", good, bad)) == [(1, *TWICE)]
    assert refusals(read("nginx", "{broken", bad))[1:] == [(1, *TWICE)]


@pytest.mark.parametrize(
    "shape", ["[%s,\n%s]", '{"records":[%s,%s]}\n', '{\n"records": [%s, %s]\n}']
)
def test_a_record_of_a_document_keeps_what_stands_in_it_twice(shape: str, tmp_path: Path) -> None:
    about = known_mapping("azure-front-door").about
    assert about is not None
    good = about.sample.splitlines()[0]
    bad = doubled(json.loads(good), ("properties", "responseBytes"))
    log = tmp_path / "log.json"
    log.write_text(shape % (good, bad))
    found = import_files(tmp_path / "spool", log, form="azure-front-door")
    assert (found.events, dict(found.skipped)) == (1, {"syntax": 1})


def test_two_lists_of_records_in_one_document_are_refused(tmp_path: Path) -> None:
    about = known_mapping("azure-front-door").about
    assert about is not None
    good = about.sample.splitlines()[0]
    log = tmp_path / "log.json"
    log.write_text(f'{{"records":[{good}],"records":[{good}]}}\n')
    assert import_files(tmp_path / "spool", log, form="azure-front-door").events == 0


def test_a_row_of_usage_and_a_head_with_a_column_twice_are_refused(tmp_path: Path) -> None:
    row = '{"time":"2026-03-01","domain":"a.example","class":"https","requests":5,"bytes":9}'
    rows, head = tmp_path / "a.json", tmp_path / "b.csv"
    rows.write_text(row + "\n" + row.replace('"bytes"', '"requests":6,"bytes"') + "\n")
    head.write_text("time,domain,class,requests,bytes,Requests\n2026-03-01,a.example,https,5,9,6\n")
    with open_spool(tmp_path / "spool") as spool:
        found = UsageImporter(spool, "DE", now_ms=NOW_MS).run([rows])
        assert (found.events, dict(found.skipped)) == (1, {"syntax": 1})
        assert "twice" in str(UsageImporter(spool, "DE", now_ms=NOW_MS).run([head]).problems)


def test_columns_that_are_named_twice_are_no_event() -> None:
    head = "#Fields: date time cs-host s-port sc-status sc-bytes sc-bytes\n"
    parsed = (
        FORMATS["iis"]
        .make()
        .parse((head + "2026-03-01 10:00:00 a.example 443 200 5 6\n").encode(), NOW_MS)
    )
    assert refusals(parsed) == [(1, "schema", "#Fields has sc-bytes twice")]


def test_the_fast_reader_of_nginx_leaves_such_a_line_to_the_careful_one(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    bad = doubled(json.loads(nginx_line(3)), ("scheme",))
    log.write_text(nginx_lines(0, 3) + bad + "\n" + nginx_lines(4, 6))
    found = import_files(tmp_path / "spool", log)
    assert (found.events, dict(found.skipped)) == (5, {"syntax": 1})
