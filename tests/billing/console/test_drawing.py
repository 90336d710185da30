"""Charts: which shapes there are, and that each leads to what it consists of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pytest

from billing.analysts import library
from billing.analysts.chart import Chart
from billing.console.drawing import NAMES, Drawing, drawn
from billing.console.reading import Answer

DAYS = [date(2026, 11, 1), date(2026, 11, 3)]


def made(rows: Sequence[tuple[object, ...]], chart: Chart, *, linked: bool = True) -> Drawing:
    """The drawing of rows of a place, a part and an amount, each of which leads to its place."""
    columns = ("place", "part", "amount")
    table = pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))
    answer = Answer(
        asked=library.find("usage_by_day"),
        values={},
        columns=columns,
        numbers=(False, False, True),
        table=table,
    )
    found = drawn(answer, chart, (lambda row: f"/at/{row[0]}") if linked else (lambda _row: ""))
    assert found is not None
    return found


def chart_of(kind: str, series: str | None = "part") -> Chart:
    return Chart(kind=kind, x="place", y="amount", series=series)  # type: ignore[arg-type]


def test_shapes_of_a_place_that_lead_to_the_same_page_are_one_stop_of_the_keyboard() -> None:
    rows = [(day, part, 5) for day in DAYS for part in ("quic", "https")]
    found = made(rows, chart_of("stack"))
    assert [(mark.href, len(mark.bars)) for mark in found.marks] == [
        ("/at/2026-11-01", 2),
        ("/at/2026-11-03", 2),
    ]
    assert found.marks[0].title == "2026-11-01 · https · 5; 2026-11-01 · quic · 5"
    assert found.leads


@pytest.mark.parametrize("linked", [True, False])
def test_a_dot_of_a_line_is_there_where_it_leads_somewhere(linked: bool) -> None:
    found = made([(day, "a", 5) for day in DAYS], chart_of("line"), linked=linked)
    assert len(found.lines) == 1
    assert len(found.marks) == (2 if linked else 0)


def test_of_many_names_the_first_are_drawn_and_the_others_said() -> None:
    found = made([(f"name-{n}", "", 100 - n) for n in range(40)], chart_of("bar", None))
    assert len(found.marks) == len(found.labels) == NAMES
    assert found.labels[0] == "name-0"
    assert found.left_out == 40 - NAMES


def test_months_are_no_names_and_all_of_them_are_drawn() -> None:
    rows = [(f"{2024 + n // 12}-{n % 12 + 1:02d}", "", 5) for n in range(20)]
    assert len(made(rows, chart_of("bar", None)).marks) == 20


def test_a_class_has_its_colour_whichever_comes_first() -> None:
    rows = [(DAYS[0], part, 5) for part in ("quic", "https", "http")]
    assert made(rows, chart_of("stack")).legend == ((0, "http"), (1, "https"), (2, "quic"))


def test_numbers_stand_by_their_distance() -> None:
    found = made([(1, "a", 5), (3, "a", 5), (11, "a", 5)], chart_of("line"))
    assert [mark.bars[0].x for mark in found.marks] == [0, 2000, 10000]
