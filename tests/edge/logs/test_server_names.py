"""A request is billed to the name its connection was opened for, or to nobody (DESIGN 3.1)."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.nginx.real_nginx import RealNginx
from edge.instants import now_ms
from edge.logs.formats.block import Parsed
from edge.logs.formats.fast_nginx import NAMES, NAMES_WITH_TLS, parse_fast_json, parse_fast_tsv
from edge.logs.formats.nginx_tsv import unescape
from edge.logs.formats.shipped import FORMATS, find_format
from edge.reasons import Reason
from tests.edge.logs.reading import NOW_MS, examples, import_files, spool_content

VALUES = ("1789999000.123", "www.example.com", "https", "HTTP/2.0", "200", "7", "HIT", "id")


def line(form: str, *, host: str, sni: str, tls: str = "TLSv1.3", status: str = "200") -> bytes:
    """A line of one of the shipped formats as they are now."""
    values = (*VALUES[:1], host, *VALUES[2:4], status, *VALUES[5:], sni, tls)
    if form == "nginx":
        return orjson.dumps(dict(zip(NAMES_WITH_TLS, values, strict=True))) + b"\n"
    return "\t".join(values).encode() + b"\n"


def read(form: str, *lines: bytes) -> Parsed:
    """The lines as the fast and, with an odd line behind them, as the careful reader has them."""
    block = b"".join(lines)
    quick = FORMATS[form].make().parse(block, NOW_MS)
    careful = FORMATS[form].make().parse(block + b"an odd line\n", NOW_MS)
    assert [(row.row, row.reason) for row in quick.refused] == [
        (row.row, row.reason) for row in careful.refused[:-1]
    ]
    return quick


FORMS = pytest.mark.parametrize("form", ["nginx", "nginx-tsv"])


@FORMS
@pytest.mark.parametrize(
    ("sni", "host"),
    [
        ("www.example.com", "www.example.com"),
        ("WWW.Example.COM", "www.example.com"),
        ("www.example.com", "WWW.EXAMPLE.com:443"),
        ("www.example.com", "www.example.com.:8443"),
        ("www.example.com.", "www.example.com"),
        ("xn--bcher-kva.example", "XN--BCHER-KVA.example"),
        ("my_app.example.com", "MY_APP.example.com:443"),
        ("-", "www.example.com"),
        ("", "www.example.com"),
        ("www.example.com", ""),
        ("*.example.com", "*.EXAMPLE.com:443"),
        ("10.0.0.1", "10.0.0.1:443"),
    ],
)
def test_one_name_in_two_spellings_is_no_mismatch(form: str, sni: str, host: str) -> None:
    assert read(form, line(form, host=host, sni=sni) * 2).refused == ()


def test_a_u_label_is_the_name_of_its_a_label() -> None:
    same = line("nginx", host="bücher.example", sni="xn--bcher-kva.example")
    escaped = line("nginx-tsv", host="b\\xC3\\xBCcher.example", sni="xn--bcher-kva.example")
    assert read("nginx", same).refused == read("nginx-tsv", escaped).refused == ()


@FORMS
@pytest.mark.parametrize(
    ("sni", "host"),
    [
        ("a.example", "b.example"),
        ("example.com", "www.example.com"),
        ("*.example.com", "www.example.com"),
        ("a.example", "10.0.0.1"),
        ("a.example", "*"),
        ("a.example", "a.example.evil.example"),
    ],
)
def test_another_name_is_refused_kept_and_counted_in_its_reason(
    form: str, sni: str, host: str, tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    good = line(form, host="a.example", sni="a.example")
    log.write_bytes(good * 20 + line(form, host=host, sni=sni) + good)
    result = import_files(tmp_path / "spool", log, form=form)
    assert (result.events, dict(result.skipped)) == (21, {"sni_mismatch": 1})
    kept = orjson.loads((tmp_path / "spool" / "rejected" / "lines.jsonl").read_bytes())
    assert (kept["reason"], kept["line"]) == ("sni_mismatch", 21)
    assert sni in kept["raw"]


@FORMS
def test_a_421_to_the_right_name_counts_like_any_request(form: str) -> None:
    parsed = read(form, line(form, host="a.example", sni="a.example", status="421"))
    assert parsed.columns.status.tolist() == [421]


@FORMS
def test_what_else_is_wrong_with_a_line_comes_first(form: str) -> None:
    parsed = read(form, line(form, host="a.example", sni="b.example", status="2xx"))
    assert [row.reason for row in parsed.refused] == [Reason.STATUS]


@FORMS
def test_lines_without_the_two_youngest_values_are_read_beside_lines_with_them(form: str) -> None:
    """A server is reloaded in the middle of its log."""
    old = (
        "\t".join(VALUES).encode() + b"\n"
        if form == "nginx-tsv"
        else orjson.dumps(dict(zip(NAMES, VALUES, strict=True))) + b"\n"
    )
    new = line(form, host="www.example.com", sni="www.example.com")
    plain = line(form, host="www.example.com", sni="-", tls="-")
    for block in (old * 3, new * 3, old + new, new + old, plain + old + new):
        parsed = FORMATS[form].make().parse(block, NOW_MS)
        assert (len(parsed.columns), parsed.refused) == (block.count(b"\n"), ())


def test_blocks_of_the_young_formats_take_the_fast_way() -> None:
    tsv = line("nginx-tsv", host="a.example", sni="a.example") * 3
    assert parse_fast_tsv(tsv, NOW_MS, unescape) is not None
    assert parse_fast_json(line("nginx", host="a.example", sni="a.example") * 3, NOW_MS) is not None


@pytest.mark.parametrize("cut", range(1, len(VALUES) + 3))
def test_two_torn_records_of_ten_values_are_never_one(cut: int) -> None:
    whole = line("nginx-tsv", host="a.example", sni="a.example")
    torn = b"\t".join(whole.rstrip().split(b"\t")[:cut])
    parsed = FORMATS["nginx-tsv"].make().parse(whole + torn + whole + whole, NOW_MS)
    assert len(parsed.columns) == 2
    assert len(parsed.refused) == 1


def test_a_mapping_may_name_the_server_name(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'time = { field = "t", unit = "s" }\nhost = "h"\nscheme = { value = "https" }\n'
        'status = "s"\nbytes = "b"\nsni = "tls.name"\n'
    )
    fields = {"t": 1789999000, "s": 200, "b": 1, "tls": {"name": "a.example"}}
    lines = [orjson.dumps(fields | {"h": host}) for host in ("a.example:443", "b.example")]
    parsed = find_format(str(tmp_path / "own.toml")).make().parse(b"\n".join(lines), NOW_MS)
    assert [(row.row, row.reason) for row in parsed.refused] == [(1, Reason.SNI_MISMATCH)]


LETTERS = st.sampled_from(["a.example", "A.example", "b.example", "a.example:443", "-", "", "ü.x"])


@settings(max_examples=examples(50))
@given(pairs=st.lists(st.tuples(LETTERS, LETTERS), min_size=1, max_size=8))
def test_the_fast_readers_let_no_mismatch_pass(pairs: list[tuple[str, str]]) -> None:
    for form in ("nginx", "nginx-tsv"):
        read(form, *(line(form, sni=sni, host=host) for sni, host in pairs))


@pytest.mark.needs_nginx
def test_a_real_nginx_logs_the_name_its_connection_was_opened_for(tmp_path: Path) -> None:
    with RealNginx(tmp_path / "nginx") as nginx:
        for http2 in (False, True):
            nginx.get("www.example.com", "/", secure=True, http2=http2, sni="www.example.com")
            nginx.get("WWW.Example.com:8443", "/", secure=True, http2=http2, sni="www.example.com")
            nginx.get("static.example.net", "/", secure=True, http2=http2, sni="www.example.com")
            nginx.get("www.example.com", "/misdirected", secure=True, sni="www.example.com")
            nginx.get("www.example.com", "/", secure=True, http2=http2)
        nginx.get("www.example.com", "/", secure=False)
    for form, log in (("nginx", nginx.log), ("nginx-tsv", nginx.tsv)):
        result = import_files(tmp_path / form, log, form=form, now_ms=now_ms())
        assert (result.events, dict(result.skipped)) == (9, {"sni_mismatch": 2})
        content = spool_content(tmp_path / form)
        assert content.domains == {"www.example.com": 9}
        assert content.statuses == {200: 7, 421: 2}
        assert dict(content.classes) == {"https": 8, "http": 1}
    assert '"tls":"TLSv1.' in nginx.log.read_text()
