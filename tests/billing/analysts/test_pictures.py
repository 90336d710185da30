"""Pictures: in the terminal at its width, and as SVG, PNG and HTML that need nothing else."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

import edgetoll
from billing.analysts import charts, terminal
from billing.analysts.chart import Chart, choose, points
from edge.errors import InputError

DAYS = [f"2026-10-{day:02}" for day in range(1, 11)]
TABLE = pa.table(
    {
        "day": DAYS * 2,
        "class": ["https"] * 10 + ["http"] * 10,
        "amount": pa.array([Decimal(n) for n in range(20)], pa.decimal128(38, 10)),
    }
)


@pytest.mark.parametrize("kind", ["line", "bar", "stack", "heat"])
def test_each_kind_fits_the_terminal_and_names_what_it_shows(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    chart = choose(kind, TABLE.column_names, TABLE, "What was earned")
    drawn = terminal.draw(TABLE, chart)
    assert max(map(len, drawn.splitlines())) <= 72
    assert "What was earned" in drawn
    assert "2026-10-01" in drawn
    assert "\x1b" not in drawn
    assert kind == "bar" or "https" in drawn


def test_a_bar_is_as_long_as_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = pa.table({"name": ["a", "b"], "n": [100, 50]})
    drawn = terminal.draw(table, Chart(kind="bar", x="name", y="n"))
    long, short = (
        max(line.count("█") for line in drawn.splitlines() if f"{name}┤" in line) for name in "ab"
    )
    assert abs(long - 2 * short) <= 2
    assert long > 40


def test_values_are_drawn_from_a_copy_and_rows_without_one_are_left_out() -> None:
    table = pa.table({"x": ["a", None], "y": pa.array([None, Decimal(7)], pa.decimal128(9, 2))})
    shown = points(table, Chart(kind="bar", x="x", y="y"))
    assert (shown.places, shown.values) == (["(none)"], [7.0])
    assert table["y"].to_pylist() == [None, Decimal(7)]


def test_a_picture_file_is_what_its_name_says(
    home: Path, tmp_path: Path, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["query", "revenue_by_region", "--param", "month=2026-10", "--plot"]
    for name in ("a.svg", "a.html"):
        assert edgetoll.main([*words, "--home", str(home), "-o", str(tmp_path / name)]) == 0
    # As a person does it: in a process as small as that, whose bound the painter would exceed.
    command = [sys.executable, str(root / "edgetoll.py"), *words, "--home", str(home), "-o"]
    subprocess.run([*command, str(tmp_path / "a.png")], check=True)
    svg = (tmp_path / "a.svg").read_text()
    assert svg.startswith("<svg")
    assert "Where is the money earned?" in svg
    assert "data_transfer" in svg
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "a.html").read_text()
    assert 'src="http' not in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.png", "a.svg"]
    assert edgetoll.main([*words, "--home", str(home)]) == 0
    assert "█" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("table", "kind", "said"),
    [
        ({"a": ["x"]}, "bar", "nothing to draw"),
        ({"a": ["x"], "n": [1]}, "heat", "a heat map needs two columns"),
        ({"a": [], "n": []}, "bar", "the result has no rows"),
        ({"a": ["x"] * 20_001, "n": [1] * 20_001}, "bar", "20001 rows are too many"),
        ({"a": ["x"] * 7, "s": list("abcdefg"), "n": [1] * 7}, "line", "7 parts are too many"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said(table: dict[str, list[object]], kind: str, said: str) -> None:
    schema = pa.schema({name: pa.int64() if name == "n" else pa.string() for name in table})
    made = pa.table(table, schema)
    with pytest.raises(InputError, match=said):
        terminal.draw(made, choose(kind, made.column_names, made))


def test_charts_have_the_place_of_a_month_in_time() -> None:
    drawn = charts.picture(TABLE, Chart(kind="line", x="day", y="amount", series="class")).to_dict()
    assert drawn["encoding"]["color"]["field"] == "part"
    assert drawn["encoding"]["x"]["type"] == "nominal"
