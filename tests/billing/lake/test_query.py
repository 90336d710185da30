"""`edgetoll sql`: every format exact, files whole or absent, nothing to be reached but views."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import shutil
import zipfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from billing.analysts import sql_command
from billing.lake import binding, query
from billing.lake.export import write_result
from billing.lake.result import run
from edge.errors import EdgetollError, InputError
from tests.billing.homes import START, make_home
from tests.billing.runner import published

# 2^53 + 1 is no double; neither is it when it stands in a nest.
ODD = 9_007_199_254_740_993
EXACT = (
    "SELECT sum(9007199254740993) AS requests,"
    " CAST('9007199254740993.0000000001' AS DECIMAL(38, 10)) AS amount,"
    " {'deep': 9007199254740993::HUGEINT} AS nested"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(make_home(tmp_path_factory.mktemp("query")))


def ask(home: Path, text: str, format_: str, output: Path | None = None) -> None:
    query.answer(home, text, format_, output, query.QueryLimits())


def test_sums_and_money_are_exact_in_text(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(home, EXACT, "json")
    assert json.loads(capsys.readouterr().out) == [
        {"requests": ODD, "amount": f"{ODD}.0000000001", "nested": {"deep": ODD}}
    ]
    ask(home, EXACT, "csv")
    assert list(csv.reader(io.StringIO(capsys.readouterr().out)))[1] == [
        str(ODD), f"{ODD}.0000000001", f'{{"deep": {ODD}}}',
    ]  # fmt: skip


def test_sums_and_money_are_exact_in_parquet_and_never_double(home: Path, tmp_path: Path) -> None:
    ask(home, EXACT, "parquet", tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert "double" not in str(table.schema)
    assert table.to_pylist() == [
        {
            "requests": Decimal(ODD),
            "amount": Decimal(f"{ODD}.0000000001"),
            "nested": {"deep": Decimal(ODD)},
        }
    ]


def test_sums_and_money_are_exact_in_a_sheet(home: Path, tmp_path: Path) -> None:
    ask(home, EXACT, "xlsx", tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert f"<t>{ODD}</t>" in sheet
    assert f"<t>{ODD}.0000000001</t>" in sheet


MONEY = ("0.1909288000", "-35.2000000000", "0.0000000001", "99999.9999999999", "0.0000000000",
         "123456789012.3400000000", "100000000000000.0000000000")  # fmt: skip
BEYOND = ("9007199254740993.0000000001", "1000000.0000000001", "-123456789012345.6000000000")


def cells_of(path: Path) -> list[list[tuple[str, str]]]:
    """The rows of a sheet as (kind, content); kind n is a number, inlineStr a text."""
    with zipfile.ZipFile(path) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    space = {"x": sheet.tag[1:].split("}")[0]}
    return [
        [(cell.get("t", "n"), "".join(cell.itertext())) for cell in row.findall("x:c", space)]
        for row in sheet.findall(".//x:row", space)
    ]


def test_p7_money_in_a_sheet_is_a_number_where_that_is_exact_and_text_beside(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = ", ".join(f"({text}::DECIMAL(38,10), {n})" for n, text in enumerate(MONEY + BEYOND))
    ask(home, f"FROM (VALUES {values}) AS v(amount, n)", "xlsx", tmp_path / "a.xlsx")
    head, *rows = cells_of(tmp_path / "a.xlsx")
    assert [text for _, text in head] == ["amount", "amount (exact)", "n"]
    for (number, exact, place), text in zip(rows, MONEY + BEYOND, strict=True):
        assert exact == ("inlineStr", text)
        assert number[0] == ("inlineStr" if text in BEYOND else "n")
        assert Decimal(number[1]) == Decimal(text)
        assert Decimal(repr(float(number[1]))) == Decimal(text) or text in BEYOND
        assert place[0] == "n"
    assert "add up: 3 numbers" in capsys.readouterr().err


def test_p7_counts_and_sums_that_are_too_long_for_a_sheet_are_told(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(home, "SELECT 999999999999999 AS a, sum(9007199254740993) AS b, NULL::DECIMAL(9,2) AS c,"
        " 1.50::DECIMAL(9,2) AS d", "xlsx", tmp_path / "a.xlsx")  # fmt: skip
    row = cells_of(tmp_path / "a.xlsx")[1]
    assert row[0] == ("n", "999999999999999")
    assert row[1] == ("inlineStr", str(ODD))
    assert row[-2:] == [("n", "1.50"), ("inlineStr", "1.50")]
    assert "add up: 1 number;" in capsys.readouterr().err


def test_a_sum_that_no_decimal_holds_is_an_error_in_parquet(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.parquet"
    with pytest.raises(InputError, match="Could not cast"):
        ask(home, "SELECT 170141183460469231731687303715884105727::HUGEINT", "parquet", output)
    assert list(tmp_path.iterdir()) == []


def test_d17_formulas_are_text_in_csv_and_in_a_sheet(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\0x"]
    listed = ", ".join(f"chr({ord(text[0])}) || '{text[1:]}' AS c{ord(text[0])}" for text in texts)
    ask(home, f"SELECT {listed}, -1 AS number, '=x' AS \"=head\"", "csv")
    header, row = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert row == [*(f"'{text}" for text in texts), "-1", "'=x"]
    assert header[-1] == "'=head"
    ask(home, "SELECT '=1+1' AS f, 'http://x.example' AS u", "xlsx", tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert "<t>=1+1</t>" in sheet


def test_no_column_hides_another_of_its_name(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(home, "SELECT 1 AS a, 2 AS a, 3::HUGEINT AS a", "json")
    assert json.loads(capsys.readouterr().out) == [{"a": 1, "a_1": 2, "a_2": 3}]
    ask(home, "SELECT 1 AS a, 2 AS a, 3::HUGEINT AS a", "parquet", tmp_path / "a.parquet")
    assert pq.read_schema(tmp_path / "a.parquet").names == ["a", "a_1", "a_2"]


def test_times_keep_their_seconds_and_zones_and_months(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        "SELECT TIMESTAMP '2026-11-01 00:00:07' AS t, TIMESTAMP '2026-11-01 10:00:00' AS m,"
        " TIMESTAMPTZ '2026-11-01 08:00:00+08' AS z, INTERVAL 1 MONTH AS i, TRUE AS b, NULL AS n"
    )
    for value, shown in (
        ("TIMESTAMP '2026-11-01 00:00:07'", "2026-11-01 00:00:07"),
        ("TIMESTAMP '2026-11-01 10:00:00'", "2026-11-01 10:00\n"),
        ("INTERVAL 1 MONTH", "1 month"),
    ):
        ask(home, "SELECT " + value, "table")
        assert shown in capsys.readouterr().out
    ask(home, text, "csv")
    row = list(csv.reader(io.StringIO(capsys.readouterr().out)))[1]
    assert row == ["2026-11-01T00:00:07", "2026-11-01T10:00:00", "2026-11-01 00:00:00+00",
                   "1 month", "true", ""]  # fmt: skip


@pytest.mark.parametrize("format_", ["json", "csv", "parquet", "xlsx"])
def test_a_result_without_rows_still_has_its_columns(
    format_: str, home: Path, tmp_path: Path
) -> None:
    output = tmp_path / f"a.{format_}"
    ask(home, "SELECT * FROM invoices", format_, output)
    if format_ == "json":
        assert json.loads(output.read_text()) == []
    elif format_ == "csv":
        assert output.read_text().startswith("invoice_no,account_id,")
    elif format_ == "parquet":
        assert str(pq.read_schema(output).field("total").type) == "decimal128(38, 10)"
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


def test_a_file_is_whole_or_as_it_was(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.csv"
    output.write_text("before")
    with pytest.raises(InputError, match="beyond"):
        ask(home, "SELECT CASE WHEN i < 30000 THEN i ELSE error('beyond') END FROM range(40000)"
            " AS t(i)", "csv", output)  # fmt: skip
    assert output.read_text() == "before"
    with pytest.raises(InputError, match="cannot be written: No such file"):
        ask(home, "SELECT 1", "csv", tmp_path / "nosuch" / "a.csv")
    ask(home, "SELECT 1", "csv", Path(os.devnull))
    assert Path(os.devnull).is_char_device()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_sheet_refuses_what_it_would_cut(home: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="40000 characters"):
        ask(home, "SELECT repeat('x', 40000)", "xlsx", tmp_path / "a.xlsx")
    with query.connect(home, query="") as connection:
        result = run(connection, ["SELECT i FROM range(10) t(i)"], 30)
        with pytest.raises(InputError, match="holds 9 rows"):
            write_result(result, "xlsx", tmp_path / "a.xlsx", sheet_rows=10)
    assert list(tmp_path.iterdir()) == []


def test_a_query_reaches_all_that_it_names_and_binds_no_more(home: Path) -> None:
    for name, path in binding.products().items():
        if path.startswith("views/"):
            with query.connect(home, query=f"FROM {name}") as connection:
                connection.execute(f"FROM {name}")
    with query.connect(home, query="SELECT * FROM Invoices") as connection:
        bound = connection.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        assert sorted(bound) == [("invoices",), ("lake_invoices",)]
    with query.connect(home, query="SHOW TABLES") as connection:
        connection.execute("FROM invoices, usage_daily")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the query is empty"),
        ("-- nothing yet", "the query is empty"),
        ("SELECT 1 FROM\n invoices WHERE WHERE", r'near "WHERE" \(line 2, column 17\)'),
        ("SELECT x FROM invoices", 'column "x" not found'),
        ("SELECT 1 FROM usage_dayly", 'Did you mean "usage_daily"'),
        ("SELECT 1; DELETE FROM invoices", "only queries are taken here, not DELETE"),
    ],
    ids=["empty", "comment", "syntax", "column", "neighbours", "second statement"],
)
def test_a_wrong_query_is_one_line_with_its_place(text: str, message: str, home: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        ask(home, text, "json")
    assert "\n" not in caught.value.message


def test_a_query_file_may_have_a_byte_order_mark_and_must_be_text(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "q.sql"
    file.write_bytes(b"\xef\xbb\xbfSELECT 1; SELECT 2 AS two;\n-- the last one counts")
    sql_command.sql(None, file=file, format_="json", output=None, home=home)
    assert json.loads(capfd.readouterr().out) == [{"two": 2}]
    file.write_bytes(b"SELECT '\xff'")
    with pytest.raises(InputError, match="it is not UTF-8"):
        sql_command.sql(None, file=file, format_="json", output=None, home=home)


def test_h13_a_runaway_query_is_stopped_and_its_memory_is_bounded(home: Path) -> None:
    with pytest.raises(EdgetollError, match="longer than 1 s"):
        sql_command.sql("SELECT count(*) FROM range(1000000000) a, range(1000) b", file=None,
                  timeout=1, home=home)  # fmt: skip
    with pytest.raises(InputError, match="no amount of memory"):
        sql_command.sql("SELECT 1", file=None, memory="plenty", home=home)
    with pytest.raises(EdgetollError, match="Out of Memory"):
        sql_command.sql(
            "SELECT list(i) FROM range(100000000) t(i)", file=None, memory="50MB", home=home
        )


@pytest.mark.parametrize(
    "text",
    [
        "FROM read_csv('/etc/passwd')",
        "FROM '{home}/edgetoll.toml'",
        "FROM read_text('{home}/lake/../edgetoll.toml')",
        "FROM '{home}/billing.duckdb'",
        "FROM glob('{home}/*')",
        "FROM 'http://127.0.0.1:9/x.parquet'",
        "ATTACH '{home}/billing.duckdb'",
        "COPY (SELECT 1) TO '{home}/lake/x.csv'",
        "COPY invoices FROM '/etc/passwd'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '9GB'",
        "PRAGMA memory_limit = '9GB'",
        "CALL enable_logging(storage := 'file', storage_path := '{home}/lake/logs')",
        "FROM enable_logging('QueryLog', storage := 'file', storage_path := '{home}/lake/logs')",
        "FROM \"query\" /* */ ('FROM enable_' || 'logging()')",
        "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 42'))",
    ],
)
def test_h14_nothing_but_the_views_can_be_reached(text: str, home: Path) -> None:
    before = sorted(home.rglob("*"))
    with pytest.raises(InputError) as caught:
        ask(home, text.replace("{home}", str(home)), "json")
    assert "\n" not in caught.value.message
    assert sorted(home.rglob("*")) == before


def write_live(home: Path, requests: list[int]) -> None:
    """live/ as metering replaces it: one row for each number of requests."""
    live = home / "live"
    live.mkdir(exist_ok=True)
    bucket = START.replace(tzinfo=None)
    rows = [
        {"bucket": bucket, "domain": "www.acme.example", "region": "DE", "class": "https",
         "requests": each, "bytes_sent": 0}
        for each in requests
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), live / ".new")
    os.replace(live / ".new", live / "partition=spool.parquet")


OPEN_USAGE = "SELECT count(*), sum(requests) FROM usage_5min WHERE account_id = 'acme'"


def test_a_reader_reads_the_live_file_that_was_there_when_it_began_whatever_replaces_it(
    home: Path, tmp_path: Path
) -> None:
    shutil.copytree(home, tmp_path / "home")
    write_live(tmp_path / "home", [5, 7])
    with query.connect(tmp_path / "home", query=OPEN_USAGE) as connection:
        before = connection.execute(OPEN_USAGE).fetchall()
        write_live(tmp_path / "home", [1000] * 5)
        assert connection.execute(OPEN_USAGE).fetchall() == before
    with query.connect(tmp_path / "home", query=OPEN_USAGE) as connection:
        after = connection.execute(OPEN_USAGE).fetchall()
    assert before[0][1] + 4988 == after[0][1]


def test_a_reader_that_has_ended_holds_no_file_open(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    write_live(tmp_path / "home", [5])
    connection = query.connect(tmp_path / "home")
    held = live_files_held(tmp_path / "home")
    connection.close()
    del connection
    assert (len(held), live_files_held(tmp_path / "home")) == (1, [])


def live_files_held(home: Path) -> list[str]:
    """The files below live/ that this process has open."""
    places = [os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()]
    return [place for place in places if place.startswith(f"{home}/live/")]


def test_more_partitions_than_files_may_be_open_are_read(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    write_live(tmp_path / "home", [5])
    for number in range(150):
        live = tmp_path / "home" / "live"
        shutil.copy(live / "partition=spool.parquet", live / f"partition={number:03}.parquet")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
    try:
        with query.connect(tmp_path / "home", query=OPEN_USAGE) as connection:
            asked = "SELECT sum(requests) FROM usage_5min WHERE region = 'DE'"
            (requests,) = connection.execute(asked).fetchall()[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    with query.connect(home, query=OPEN_USAGE) as connection:
        assert requests == 151 * 5 + (connection.execute(asked).fetchall()[0][0] or 0)
