"""A walk through all lines at once finds what the pattern finds, or says that it cannot tell."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.logs.formats.block import Settled
from edge.logs.formats.log_format import compiled, variables_of
from edge.logs.formats.text_lines import TextCutter, TextPattern
from edge.logs.walking.plan import plan_of
from edge.logs.walking.walk import OddLine, Walk, bounds_of, milliseconds, numbers
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


def walk_of(block: bytes) -> Walk:
    lines = bounds_of(block, 0, len(block))
    return Walk(block, lines.starts, lines.ends)


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
        return not plan.fields(block, 0, len(block))[1].any()
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
    assert int(walking._plan.fields(block, 0, len(block))[1].sum()) == 22
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
        f"{word}|{count}|{moment // 1000}.{moment % 1000:03d}"
        for word, count, moment in zip(words, counts, moments, strict=True)
    ]
    block = "".join(f"{line}\n" for line in lines).encode()
    walk = walk_of(block)
    text = walk.take(b"|")
    walk.require(b"|")
    number = walk.take(b"|")
    walk.require(b"|")
    moment = walk.take(b"\n")
    walk.end()
    texts, index = walk.texts(text)
    assert [texts[place] for place in index.tolist()] == words
    assert walk.series(text).to_list() == words
    assert numbers(number).tolist() == counts
    assert milliseconds(moment).tolist() == moments


@pytest.mark.parametrize("odd", ["", "-1", "+1", "1.0", "1e3", "12345678901234567", "1 "])
def test_what_is_no_number_ends_the_walk(odd: str) -> None:
    block = f"17|\n{odd}|\n".encode()
    with pytest.raises(OddLine):
        numbers(walk_of(block).take(b"|"))


def test_two_texts_of_one_hash_are_not_one() -> None:
    """The hash is no secret: who makes two hosts of one hash must not pay with the other's name."""
    draw = random.Random(7)

    def mixed(word: bytes) -> int:
        hashed = int.from_bytes(word, "little") * 0x9E3779B97F4A7C15 % (1 << 64)
        return hashed ^ (hashed >> 29)

    def letters(count: int) -> bytes:
        return bytes(draw.choices(range(33, 127), k=count))

    first, tail, other = letters(8), letters(7), b"\xff"
    while len(other) != 7 or not all(32 < byte < 127 for byte in other):
        second = letters(8)
        left = mixed(first) + int.from_bytes(tail, "little") - mixed(second)
        other = (left % (1 << 64)).to_bytes(8, "little").rstrip(b"\0")
    values = walk_of(first + tail + b" \n" + second + other + b" \n")
    taken = values.take(b" ")
    assert len(set(taken.hashed().tolist())) == 1, "or nothing is tried"
    with pytest.raises(OddLine):
        values.texts(taken)
