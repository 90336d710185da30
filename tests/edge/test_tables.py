"""P1: a table fits into the terminal, and no number, time, id or name in it is ever broken."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.tables import cells, layout, wrap
from edge.terminal import many, table

WIDTHS = (80, 100, 120)
USAGE = [
    ("dailypress", "images.dailypress.example", "DE", "https", "36032221307", "123456789012"),
    ("", "nobody-bought-this.example", "ap-southeast-1", "quic", "29906743679", "7"),
]
COLUMNS = ("account_id", "domain", "region", "class", "requests", "bytes_sent")


def drawn(
    columns: tuple[str, ...], rows: list[tuple[str, ...]], width: int | None, title: str = ""
) -> list[str]:
    return [line.text for line in layout(title, columns, rows, right={4, 5}, width=width)]


@pytest.mark.parametrize("width", [24, 40, 60, *WIDTHS])
def test_p1_numbers_and_ids_stand_whole_at_every_width(width: int) -> None:
    text = "\n".join(drawn(COLUMNS, USAGE, width))
    for row in USAGE:
        for word in row:
            assert word in text
    assert all(cells(line) <= width for line in text.splitlines()) or width == 24


@pytest.mark.parametrize("width", WIDTHS)
def test_p1_text_shrinks_before_columns_stand_as_records(width: int) -> None:
    reason = "the balance is below the threshold that the account has chosen, and burns on " * 3
    rows = [("northwind", reason, "36032221307"), ("dailypress", "enough balance", "1")]
    lines = drawn(("account", "why", "requests"), rows, width)
    assert max(map(cells, lines)) <= width
    assert not any(line.startswith("-[") for line in lines), "it fits as a table"
    assert sum("36032221307" in line for line in lines) == 1
    assert " ".join(" ".join(lines).split()).count("the balance is below") >= 1


def test_p1_what_does_not_fit_stands_as_records() -> None:
    lines = drawn(COLUMNS, USAGE, 60)
    assert lines[0].startswith("-[ 1 ]")
    assert "requests   | 36032221307" in lines
    assert "domain     | images.dailypress.example" in lines
    assert "account_id |" not in "\n".join(lines[8:]), "what is empty is left out"


def test_p1_a_column_of_several_lines_is_several_values_of_a_record() -> None:
    rows = [("acme\nok", "12.00 USD\n11.50 USD\n", "why it is so\nwho was told: nobody at all")]
    lines = drawn(("account\nstate", "available\nprojected", "why\ntold"), rows, 30)
    assert [line.split(" | ")[0].strip() for line in lines[1:-2]] == [
        "account", "state", "available", "projected", "why", "told"
    ]  # fmt: skip
    assert "state     | ok" in lines


def test_p1_without_a_terminal_a_table_is_as_wide_as_its_numbers() -> None:
    wide = ("9" * 60,) * 6
    assert any(line.count("9" * 60) == 6 for line in drawn(COLUMNS, [wide], None))


def test_p1_wide_characters_and_marks_take_the_places_they_have() -> None:
    assert (cells("数据"), cells("é"), cells("e\u0301"), cells("a\u200bb")) == (4, 1, 1, 2)
    lines = drawn(("name", "n"), [("北京云", "1"), ("acme", "22")], 80)
    assert cells(lines[3]) == cells("  北京云   1")
    assert cells(lines[4]) == cells("  acme     22")


def test_p1_a_table_without_rows_says_what_it_would_hold() -> None:
    assert any("requests" in line for line in drawn(COLUMNS, [], 80))
    assert any("requests" in line for line in drawn(COLUMNS, [], 20))


WORDS = st.text("abc0123456789.-:é数", min_size=1, max_size=24)
CELL = st.lists(WORDS, max_size=6).map(" ".join)


@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL, CELL), max_size=5),
    width=st.integers(min_value=10, max_value=140),
)
def test_p1_whatever_stands_in_a_table_no_word_is_broken(
    rows: list[tuple[str, ...]], width: int
) -> None:
    columns = ("account", "what it says", "requests", "amount")
    lines = drawn(columns, rows, width)
    printed = "\n".join(lines)
    words = set(re.split(r"[\s|]+", printed))
    for row in rows:
        for word in " ".join(row).split():
            assert word in words
    longest = max((cells(w) for row in rows for w in " ".join(row).split()), default=0)
    beside = max(cells(name) for name in columns) + 3
    if rows:
        assert all(cells(line) <= max(width, longest + beside) for line in lines)


@given(st.lists(WORDS, max_size=9).map(" ".join), st.integers(min_value=1, max_value=40))
def test_p1_wrapping_loses_and_breaks_nothing(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert " ".join(lines) == text
    assert all(cells(line) <= width or " " not in line for line in lines)


def test_p1_markup_and_control_characters_have_no_effect(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table("[bold]x", ("[red]a",), [("\x1b[31mred[/red]\u202e",)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]x" in out
    assert "\\x1b[31mred[/red]\\u202e" in out


@pytest.mark.parametrize("width", WIDTHS)
def test_p1_a_real_terminal_of_that_width_gets_lines_that_fit(width: int, root: Path) -> None:
    """The width comes from the terminal itself, not from a variable."""
    script = (
        "from edge.terminal import many, table\n"
        f"table('Usage', {COLUMNS!r}, {USAGE!r}, right=('requests', 'bytes_sent'))"
    )
    parent, child = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    environment = {name: text for name, text in os.environ.items() if name != "COLUMNS"}
    subprocess.run(
        [sys.executable, "-c", script], cwd=root, stdout=child, env=environment, check=True
    )
    os.close(child)
    said = b""
    try:
        while block := os.read(parent, 4096):
            said += block
    except OSError:  # the other end is closed
        pass
    os.close(parent)
    text = re.sub(r"\x1b\[[0-9;]*m", "", said.decode())
    assert "36032221307" in text
    assert max(cells(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 hours"), (1, "1 hour"), (2, "2 hours"), (36_032, "36,032 hours")]
)
def test_p10_one_is_one_and_all_else_are_many(count: int, said: str) -> None:
    assert many(count, "hour") == said
