"""The query library: forty questions, each with a title, its parameters and a sample, run."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

import edgetoll
import sql
from billing.analysts import library
from billing.lake import query
from billing.lake.export import write_result
from billing.lake.result import run
from edge.errors import InputError
from tests.billing.analysts.conftest import TODAY

WRITE = os.environ.get("EDGETOLL_GOLDEN") == "write"
SAMPLE = "-- Sample:\n"
ROWS = 5
NAMES = [path.rpartition("/")[2] for path in sql.names("queries")]
GIVEN = {
    "month": "2026-11", "day": "2026-11-03", "account": "acme", "tag": "team", "book": "plain",
    "from_day": "2026-11-01", "to_day": "2026-11-30", "hour": "2026-11-03T08",
    "other_from_day": "2026-10-01", "other_to_day": "2026-10-31",
    "invoice": "INV-USD-2026-000001", "run": "R00000003", "edge": "edge-1",
}  # fmt: skip
"""What the samples ask about, but for those of OTHERS."""
OTHERS = {
    "bill_by_domain": {"month": "2026-10"}, "bill_by_tag": {"month": "2026-10"},
    "tax_by_country": {"month": "2026-10"}, "revenue_by_tag": {"tag": "segment"},
    "accounts_near_the_next_tier": {"from_permille": "300"},
}  # fmt: skip


def given_to(asked: library.LibraryQuery) -> list[str]:
    """The parameters of a sample."""
    said = {**GIVEN, **OTHERS.get(asked.name, {})}
    return [f"{one.name}={said[one.name]}" for one in asked.parameters if one.name in said]


def sample_of(home: Path, asked: library.LibraryQuery) -> str:
    """The first rows of a query, as they stand at the end of its file."""
    out = io.StringIO()
    with query.connect(home, query=asked.text) as connection:
        connection.execute(f"CREATE MACRO now() AS TIMESTAMPTZ '{TODAY.isoformat()}'")
        result = run(connection, [asked.text], 60, values=asked.values(given_to(asked)))
        out_file = out
        write_markdown(result, out_file)
    lines = out.getvalue().splitlines()
    more = len(lines) - 2 - ROWS
    shown = lines[: ROWS + 2] + ([f"… {more} more"] if more > 0 else [])
    words = " ".join(f"--param {one}" for one in given_to(asked))
    command = f"edgetoll query {asked.name} {words}".rstrip()
    return "".join(f"-- {line}\n" for line in (command, *shown))


def write_markdown(result: object, out: io.StringIO) -> None:
    """What `--format markdown` prints."""
    import sys

    kept, sys.stdout = sys.stdout, out
    try:
        write_result(result, "markdown", None)  # type: ignore[arg-type]
    finally:
        sys.stdout = kept


@pytest.mark.parametrize("name", NAMES)
def test_golden_each_question_gives_the_sample_in_its_file(
    name: str, home: Path, root: Path
) -> None:
    asked = library.find(name)
    path = root / "sql" / "queries" / f"{name}.sql"
    before = path.read_text(encoding="utf-8").partition(SAMPLE)[0].rstrip("\n") + "\n"
    made = f"{before}\n{SAMPLE}{sample_of(home, asked)}"
    if WRITE:
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made, "make golden, and look at the difference"


def test_there_are_forty_questions_with_titles_that_ask_and_charts_that_fit(home: Path) -> None:
    asked = library.all_queries()
    assert len(asked) >= 40
    assert [one.name for one in asked if "?" not in one.title] == []
    with query.connect(home) as connection:
        for one in asked:
            values = one.values(given_to(one))
            columns = set(run(connection, [one.text], 60, values=values).columns)
            if one.chart:
                drawn = {one.chart.x, one.chart.y, one.chart.series} - {None}
                assert drawn <= columns, one.name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["query", "revenue_by_itm"], "did you mean revenue_by_item"),
        (["query", "bill_by_domain"], "bill_by_domain needs month"),
        (["query", "revenue_by_region", "--param", "month=October"], "«October» is no month"),
        (["query", "bandwidth_peaks", "--param", "month=2026-10", "--param", "top=ten"],
         "«ten» is no number"),
        (["query", "what_another_book_would_charge", "--param", "book=nope", "--param",
          "month=2026-11"], "no price book nope: there is plain"),
        (["query", "certificates_by_hour", "--param", "day=2026-02-30"], "is no day"),
        (["query", "unbilled", "--param", "month=2026-10"], "has no parameter «month»"),
        (["query", "unbilled", "--param", "month"], "--param month has no value"),
        (["query", "suspensions", "--plot"], "suspensions has no picture of its own"),
        (["query", "unbilled", "--plot", "-o", "a.pdf"], "a.pdf is no picture by its name"),
        (["query", "unbilled", "--format", "pdf"], "no format «pdf»"),
        (["query", "unbilled", "--format", "arrow"], "arrow is not text"),
        (["sql", "SELECT * FROM chargs"], 'Did you mean "charges"?'),
        (["sql", "SELECT amont FROM charges"], 'Candidate bindings: "amount"'),
        (["sql", "SELECT 1", "--plot", "bar"], "nothing to draw"),
        (["sql", "SELECT 1", "--plot", "pie"], "no kind of chart «pie»"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_with_a_question_is_one_line(
    words: list[str], said: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert edgetoll.main([*words, "--home", str(home)]) in (1, 2)
    error = capfd.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) <= 2
    assert error.startswith("edgetoll: ")


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "a.csv"
    words = ["query", "revenue_by_item", "--home", str(home), "-o", str(output)]
    assert edgetoll.main(words) == 0
    before = output.read_bytes()
    assert before.startswith(b"month,item,")
    assert edgetoll.main(words) == 1
    assert "is there already" in capfd.readouterr().err
    assert edgetoll.main([*words, "--force"]) == 0
    assert output.read_bytes() == before


def test_the_list_says_what_each_question_takes(capfd: pytest.CaptureFixture[str]) -> None:
    assert edgetoll.main(["query"]) == 0
    listed = capfd.readouterr().out
    assert [name for name in NAMES if name not in listed] == []
    with pytest.raises(InputError, match="no query «x»"):
        library.find("x")
