"""Canonical names: one per name, none for what is no name (FAULTS D1 to D6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain import canonical_domain, canonical_domains, escaped, host_too_long

SAME_NAME = [
    "example.com",
    "EXAMPLE.com",
    "example.com.",
    "example.com:443",
    "EXAMPLE.com.:443",
    " example.com\t",
    "example.com:",
    "example。com",
    "ｅｘａｍｐｌｅ.com",
    b"Example.COM.:8443",
]

NO_NAME = [
    "",
    ".",
    "..",
    "example..com",
    ".example.com",
    "example.com..",
    "-a.example",
    "a-.example",
    "*.example",
    "a b.example",
    "xn--a.example",
    "xn--.example",
    "xn--bcher-.example",
    "192.0.2.1",
    "192.0.2.1:443",
    "2130706433",
    "[2001:db8::1]",
    "[2001:db8::1]:443",
    "2001:db8::1",
    "a" * 64 + ".example",
    "a\x00.example",
    "a\r\nSet-Cookie: x.example",
    "a\u200db.example",
    "a\u200b.example",
    "exa\u00admple.com",
    "\u202eelpmaxe.com",
    "p\u0430ypal.com",
    "\u2603.example",
    "https://example.com",
    "user@example.com",
    "=cmd()",
    "example.com:443:443",
    "example.com:99999999",
    b"\xff\xfe.example",
    "\ud800.example",
]


@pytest.mark.parametrize("raw", SAME_NAME)
def test_d3_case_port_final_dot_spaces_and_width_do_not_matter(raw: str | bytes) -> None:
    assert canonical_domain(raw) == "example.com"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.:443", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("r3---sn.example", "r3---sn.example"),
        ("localhost", "localhost"),
        ("bücher.r3---sn.example", "xn--bcher-kva.r3---sn.example"),
    ],
)
def test_d3_an_international_name_becomes_its_a_label(raw: str, name: str) -> None:
    assert canonical_domain(raw) == name


@pytest.mark.parametrize(
    "name",
    [
        "my_app.example.com",
        "_dmarc.example.com",
        "a_.example",
        "a_b",
        "x_y.xn--bcher-kva.example",
        "a" * 62 + "_.example",
    ],
)
def test_e7_a_name_with_underscores_is_a_name(name: str) -> None:
    assert canonical_domain(name) == name
    assert canonical_domain(f"{name.upper()}.:443") == name


def test_e7_an_underscore_beside_a_u_label_is_a_name_too() -> None:
    assert canonical_domain("my_app.bücher.example") == "my_app.xn--bcher-kva.example"


@pytest.mark.parametrize(
    "name",
    [
        "xn--i-7iq.shop.example",
        "xn--ls8h.la",
        "xn--qei.example",
        "xn--pypal-4ve.com",
        "xn--1uga80807abag.example",
        "www.xn--i-7iq.xn--bcher-kva.example",
    ],
)
def test_e7_an_a_label_is_taken_as_it_is_whatever_letters_it_stands_for(name: str) -> None:
    assert canonical_domain(name) == name
    assert canonical_domain(f"{name.upper()}:443") == name


@pytest.mark.parametrize(
    "name",
    [
        "xn--.example",
        "xn--a.example",
        "xn--bcher-.example",
        "xn--999999999.example",
        "xn--abc_def.example",
        "xn--" + "a" * 60 + ".example",
        "xn--example-576c.com",
        "xn--ae-g1t.example",
    ],
)
def test_e7_what_is_no_punycode_of_a_text_that_can_be_seen_is_no_a_label(name: str) -> None:
    assert canonical_domain(name) is None


@pytest.mark.parametrize("raw", NO_NAME)
def test_d4_d5_what_is_no_name_is_unattributable(raw: str | bytes) -> None:
    assert canonical_domain(raw) is None


def test_d1_ten_megabytes_of_host_are_refused_unread() -> None:
    for letter in ("a", "ü", "a.", "xn--a."):
        huge = letter * (10_000_000 // len(letter))
        assert canonical_domain(huge) is None
        assert canonical_domain(huge.encode()) is None
        assert host_too_long(huge)


def test_d1_what_is_too_long_is_not_even_trimmed() -> None:
    assert canonical_domain(" " * 300 + "example.com") is None
    assert canonical_domain(b"example.com" + b" " * 300) is None


def test_d1_the_limit_is_253_bytes_of_name_and_one_more_is_too_long() -> None:
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    assert len(longest) == 253
    assert canonical_domain(longest) == longest
    assert canonical_domain(longest + ".:65535") == longest
    assert canonical_domain(longest + "d") is None
    assert host_too_long(longest + ".:65535 ")
    assert not host_too_long(longest + ".:65535")


def test_a_label_may_have_63_bytes() -> None:
    assert canonical_domain("a" * 63 + ".example") == "a" * 63 + ".example"
    assert canonical_domain("a" * 64 + ".example") is None


@given(st.text(max_size=300))
def test_d3_canonical_is_total_and_idempotent_for_any_text(raw: str) -> None:
    name = canonical_domain(raw)
    assert name is None or (name.isascii() and len(name) <= 253)
    assert name is None or canonical_domain(name) == name


@given(st.binary(max_size=300))
def test_d2_canonical_is_total_and_idempotent_for_any_bytes(raw: bytes) -> None:
    name = canonical_domain(raw)
    assert name is None or canonical_domain(name.encode()) == name


_PIECES = st.sampled_from(
    ["a", "B", "0", "-", ".", "xn--", "ü", "ß", "。", "\u0430", "\u200d", " ", ":443", "_", "例"]
)


@given(st.lists(_PIECES, max_size=20))
def test_d3_canonical_is_idempotent_for_names_made_to_confuse(pieces: list[str]) -> None:
    name = canonical_domain("".join(pieces))
    assert name is None or canonical_domain(name) == name
    assert name is None or canonical_domain(name.upper() + ".:443") == name


@given(st.lists(st.sampled_from(["A.example", "a.example.", "_", "ü.example"])))
def test_a_column_is_answered_value_by_value(column: list[str]) -> None:
    assert canonical_domains(column) == [canonical_domain(raw) for raw in column]


@given(st.one_of(st.text(max_size=400), st.binary(max_size=400)))
def test_d2_d5_what_is_kept_of_a_bad_host_is_short_printable_ascii(raw: str | bytes) -> None:
    kept = escaped(raw)
    assert kept.isascii()
    assert len(kept) <= 253
    assert not kept or (kept.isprintable() and " " not in kept)


def test_d6_only_the_host_names_the_owner() -> None:
    """The server name of TLS is no field of an event, so it cannot attribute one."""
    from dataclasses import fields

    from edge.event import RequestEvent

    assert {field.name for field in fields(RequestEvent)} == {
        "time_ms",
        "domain",
        "scheme",
        "transport",
        "status",
        "bytes_sent",
        "cache",
        "event_id",
    }
