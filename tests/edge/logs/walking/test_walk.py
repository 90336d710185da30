"""A walk through all lines at once finds what the pattern finds, or says that it cannot tell."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.logs.formats.block import Settled
from edge.logs.formats.log_format import compiled, variables_of
from edge.logs.formats.text_lines import TextCutter, TextPattern
from edge.logs.walking import walk
from edge.logs.walking.plan import plan_of
from edge.logs.walking.program import LINES, TEXT_BYTES, Kind, LineForm, ValueForm
from edge.logs.walking.walk import OddLine, walked
from tests.edge.logs.reading import examples

AT = "30/Nov/2025:10:00:00 +0100"
WALKED = {
    '$remote_addr - $remote_user [$time_local] "$request" $status $host': (
        f'192.0.2.1 - - [{AT}] "GET /a HTTP/1.1" 200 www.example.com'
    ),
    '%v:%p %h %u %t "%r" %>s "%{Referer}i"': f'a.example:443 ::1 - {AT} "GET /" 304 "x \\"y\\""',
    "$host|$server_port|$http_user_agent|$status": "a.example|80|Mozilla (X11; Linux)|200",
    "$scheme://$host$request_uri $bytes_sent": "https://a.example/a/b 17",
}
"""Format strings that are walked, and a line of each."""


def form_of(**kinds: Kind) -> LineForm:
    """Lines of such values, by name, between bars."""
    steps = [
        ValueForm(literal=b"|" if number else b"", name=name, kind=kind, marks=b"|")
        for number, (name, kind) in enumerate(kinds.items())
    ]
    return LineForm(steps=tuple(steps), last=b"")


def cutters(text: str, *, more: bool) -> tuple[TextCutter, TextCutter]:
    """Two readers of one format: one that walks, one that does not."""
    groups = {name: f"g{place}" for place, name in enumerate(variables_of(text))}
    pattern = compiled(text, groups, more=more)
    columns = {group: name for name, group in groups.items()}
    walking = TextCutter(pattern, columns)
    plain = TextCutter(TextPattern(pattern=f"(?:){pattern.pattern}", ways=pattern.ways), columns)
    assert plan_of(plain.text.pattern) is None, "or nothing is compared"
    return walking, plain


def both_ways(text: str, block: bytes, *, more: bool) -> bool:
    """Compare the two readings of `block`; whether it was walked."""
    walking, plain = cutters(text, more=more)
    settled = Settled(), Settled()
    found = walking.cut(block, settled[0]), plain.cut(block, settled[1])
    assert found[0].equals(found[1]), (block, found)
    assert [(row.row, row.reason) for row in settled[0].refused] == [
        (row.row, row.reason) for row in settled[1].refused
    ]
    plan = plan_of(walking.text.pattern)
    assert plan is not None, text
    try:
        return not walked(plan, block).odd.any()
    except OddLine:
        return False


@pytest.mark.parametrize("text", WALKED)
def test_a_usual_block_is_walked(text: str) -> None:
    line = WALKED[text].replace(AT, f"[{AT}]" if "%t" in text else AT).encode()
    usual = line.replace(b'\\"', b"'")
    assert both_ways(text, (usual + b"\n") * 3, more=False)
    assert both_ways(text, (usual + b"\n" + usual + b" and more\n"), more=True)
    assert not both_ways(text, usual + b"\n\n" + usual + b"\n", more=False)
    assert not both_ways(text, usual, more=False)


def test_a_quotation_mark_that_is_escaped_ends_no_value() -> None:
    """Or a viewer's path would choose the host."""
    text = '"$request" $status $host'
    assert not both_ways(text, b'"GET /\\" 200 evil.example" 304 a.example\n', more=True)
    assert both_ways(text, b'"GET /\\x22 200 evil.example" 304 a.example\n', more=True)


@settings(max_examples=examples(60))
@given(data=st.data(), more=st.booleans())
def test_a_walk_finds_what_its_pattern_finds(data: st.DataObject, more: bool) -> None:
    text = data.draw(st.sampled_from(sorted(WALKED)))
    line = WALKED[text].replace(AT, f"[{AT}]" if "%t" in text else AT)
    lines = []
    for _ in range(data.draw(st.integers(1, 3))):
        place, length = data.draw(st.integers(0, len(line))), data.draw(st.integers(0, 9))
        put = data.draw(st.text(' "[]\\|:-/x1é\t\r', max_size=12))
        lines.append(line[:place] + put + line[place + length :])
    both_ways(text, "".join(f"{each}\n" for each in lines).encode(), more=more)


def test_an_odd_line_costs_itself_and_not_its_block() -> None:
    text = '"$request" $status $host'
    usual, odd = (
        b'"GET /%d" 200 a.example\n',
        (
            b'"GET /\\"%d" 200 a.example\n',
            b'"GET /%d" 200  a.example\n',
            b'"GET /\xc3\xa9%d" 200 a.example\n',
            b"\n",
            b"no line %d\n",
        ),
    )
    lines = [odd[n // 9 % 5] if n % 9 == 4 else usual for n in range(200)]
    block = b"".join(line.replace(b"%d", b"%d" % n) for n, line in enumerate(lines))
    walking, _ = cutters(text, more=False)
    assert walking._plan is not None
    assert int(walked(walking._plan, block).odd.sum()) == 22
    assert not both_ways(text, block, more=False)
    assert both_ways(text, usual % 1 + usual % 2, more=False)
    long = b'"GET /%s" 200 a.example\n' % (b"x" * 100_000)
    assert not both_ways(text, usual % 1 + long + usual % 2, more=False)


def test_values_of_any_length_are_the_same_texts_numbers_and_times() -> None:
    draw = random.Random(7)
    words = ["".join(draw.choices("ab.1-", k=length)) for length in range(40)] * 3
    counts = [draw.randrange(10 ** draw.randint(1, 16)) for _ in words]
    moments = [draw.randrange(10**9, 10**10) * 1000 + draw.randrange(1000) for _ in words]
    lines = [
        f"{word}|{count}|{moment // 1000}.{moment % 1000:03d}|{word}|{word}"
        for word, count, moment in zip(words, counts, moments, strict=True)
    ]
    form = form_of(word="word", count="number", at="seconds", text="text", id="id")
    found = walked(form, "".join(f"{line}\n" for line in lines).encode())
    texts: list[str] = []
    index = found.looked_up("word", lambda text: texts.append(text) or len(texts) - 1)
    assert [texts[place] for place in index.tolist()] == words
    assert len(texts) == len(set(words)), "each distinct word is looked up once"
    assert all(found.series(name).to_list() == words for name in ("word", "text", "id"))
    assert found.numbers("count").tolist() == counts
    assert found.numbers("at").tolist() == moments
    hashes = dict(zip(words, found.hashes("id").tolist(), strict=True))
    assert found.hashes("id").tolist() == [hashes[word] for word in words]
    assert len(set(hashes.values())) == len(hashes)


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        *(("number", odd) for odd in ("", "-1", "+1", "1.0", "1e3", "12345678901234567", "1 ")),
        *(("decimal", odd) for odd in ("", "1.", ".1", "1.2.3", "--", "-1", "1e3", ".")),
        *(("seconds", odd) for odd in ("177235920.1234", "1772359200.12", "1772359200,123", "")),
        *(("text", odd) for odd in ("\t", "\x00", "\x80", "é", "a|b")),
    ],
)
def test_a_value_of_another_form_makes_its_line_odd_and_no_other(kind: Kind, odd: str) -> None:
    usual = {"seconds": "1772359200.123", "decimal": "0.001"}.get(kind, "17")
    block = f"{usual}\n{odd}\n{usual}\n".encode()
    found = walked(form_of(value=kind), block)
    assert found.odd.tolist() == [False, True, False]
    assert len(found) == 2


def test_a_block_of_any_size_is_walked_in_pieces() -> None:
    """Lines that one call cannot take, for their bytes or their number; and one beyond both."""
    form = form_of(text="text", word="word", count="number")
    lines = [f"{'x' * (number % 700)}|w{number % 7}|{number}" for number in range(3 * LINES)]
    huge = "y" * (TEXT_BYTES + 5) + "|w|1"
    lines.insert(LINES, huge)
    found = walked(form, "".join(f"{line}\n" for line in lines).encode())
    assert [number for number, odd in enumerate(found.odd.tolist()) if odd] == [LINES]
    lines.remove(huge)
    told = [line.split("|") for line in lines]
    assert found.series("text").to_list() == [text for text, _, _ in told]
    assert found.series("word").to_list() == [word for _, word, _ in told]
    assert found.numbers("count").tolist() == list(range(3 * LINES))


def test_words_that_share_a_place_are_not_one_and_cost_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who makes many hosts of one hash must not pay with another's name, nor hold the edge up."""
    monkeypatch.setattr("secrets.randbits", lambda _bits: 0)  # the hash is then the bytes
    alike = [f"aa{third}{last}" for third in "aeimquy" for last in "abcdefghijklmnop"]
    form = form_of(weak="word")
    few = walked(form, "".join(f"{word}\n" for word in alike[:60] * 2).encode())
    assert few.series("weak").to_list() == alike[:60] * 2
    many = walked(form, "".join(f"{word}\n" for word in alike).encode())
    assert many.series("weak").to_list() == alike[:64]
    assert many.odd.tolist() == [False] * 64 + [True] * (len(alike) - 64)


def test_little_is_read_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "WORTH_BYTES", 1000)
    monkeypatch.setattr(walk, "_read_bytes", 0)
    form = form_of(text="text")
    with pytest.raises(OddLine):
        walked(form, b"a\n" * 499)
    assert len(walked(form, b"a\n")) == 1
