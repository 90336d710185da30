"""The doors: Python with exact frames, and a DuckDB file that other tools open."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

import edgetoll
from billing.analysts.attach import attach
from billing.lake import version
from edge.errors import InputError
from tests.billing.homes import START, Use, close_hour, make_home
from tests.billing.runner import published, rate

HOUR = timedelta(hours=1)
ODD = 9_007_199_254_740_993


pytestmark = pytest.mark.usefixtures("process_of_an_analyst")


def test_frames_of_all_three_kinds_have_the_same_exact_rows(home: Path) -> None:
    arrow = edgetoll.read_arrow("charges", month="2026-10", accounts=["acme"], home=home)
    assert arrow.schema.field("amount").type == pa.decimal128(38, 10)
    assert set(arrow["month"].to_pylist()) == {"2026-10"}
    assert set(arrow["account_id"].to_pylist()) == {"acme"}
    frame = edgetoll.read("charges", month="2026-10", accounts=["acme"], home=home)
    polars = edgetoll.read_polars("charges", month="2026-10", accounts=["acme"], home=home)
    amounts = arrow["amount"].to_pylist()
    assert list(frame["amount"]) == polars["amount"].to_list() == amounts
    assert all(isinstance(amount, Decimal) for amount in frame["amount"])
    assert frame["amount"].sum() == sum(amounts)
    assert str(frame["quantity"].dtype) == "int64[pyarrow]"


def test_a_query_has_parameters_and_huge_counts_stay_exact(home: Path) -> None:
    frame = edgetoll.query(
        "SELECT sum($n::BIGINT) AS n, account_id FROM invoices WHERE month = $month GROUP BY ALL"
        " ORDER BY ALL",
        {"month": "2026-10", "n": ODD},
        home=home,
    )
    assert list(frame["n"]) == [Decimal(ODD), Decimal(ODD)]
    assert list(edgetoll.ask("bill_by_domain", month="2026-10", account="acme", home=home)["total"])


@pytest.mark.parametrize(
    ("view", "more", "said"),
    [
        ("chargs", {}, "no view «chargs».*did you mean charges"),
        ("charges", {"columns": ["amont"]}, "charges has no column «amont».*amount"),
        ("charges", {"month": "October"}, "«October» is no month"),
        ("charges", {"accounts": "acme"}, "accounts is one text"),
        ("quarantine", {"month": "2026-10"}, "nothing to tell months by"),
        ("quarantine", {"accounts": ["acme"]}, "quarantine has no column «account_id»"),
    ],
)
def test_what_is_wrong_is_one_line(
    view: str, more: dict[str, object], said: str, home: Path
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        edgetoll.read(view, home=home, **more)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_lake_that_is_not_whole_is_refused_by_this_door_too(tmp_path: Path) -> None:
    home = published(make_home(tmp_path))
    lake = version.current(home)
    assert lake is not None
    lake.paths("domains")[0].unlink()
    with pytest.raises(Exception, match="is missing"):
        edgetoll.read("domains", home=home)


def test_a_frame_is_drawn_and_stays_exact(home: Path) -> None:
    frame = edgetoll.ask("revenue_by_item", home=home)
    before = frame.copy()
    drawn = edgetoll.plot(frame, "bar", x="item", y="amount", title="Revenue").to_dict()
    assert drawn["title"]["text"] if isinstance(drawn["title"], dict) else drawn["title"]
    assert frame.equals(before)
    same = pl.DataFrame({name: frame[name].to_list() for name in frame.columns})
    assert edgetoll.plot(same, "stack").to_dict()["mark"]["type"] == "bar"


PLAIN = """
import sys, duckdb
assert "edgetoll" not in sys.modules
with duckdb.connect(sys.argv[1], read_only=True) as c:
    print(c.sql("SELECT sum(requests) FROM usage_monthly").fetchone()[0])
    print(c.sql("SELECT sum(amount) FROM charges").fetchone()[0])
    print(c.sql("SELECT price_of('https_requests', 'DE', 20000, book := 'plain')").fetchone()[0])
"""


def plainly(file: Path) -> list[str]:
    """What another process says that has DuckDB and nothing of ours."""
    answer = subprocess.run(
        [sys.executable, "-I", "-c", PLAIN, str(file)], capture_output=True, text=True, check=True
    )
    return answer.stdout.split()


def test_the_file_for_other_tools_follows_the_lake_as_it_moves_on(tmp_path: Path) -> None:
    home, file = make_home(tmp_path), tmp_path / "analytics.duckdb"
    with pytest.raises(InputError, match="no home at"):
        attach(tmp_path / "nowhere", file)
    close_hour(home, START, [Use(requests=20_000, bytes_sent=0)])
    rate(home, at=START + HOUR)
    attach(home, file)
    assert plainly(file) == ["20000", "0.0200000000", "0.0200000000"]
    close_hour(home, START + HOUR, [Use(requests=5_000, bytes_sent=0)])
    rate(home, at=START + 2 * HOUR)
    assert plainly(file) == ["25000", "0.0250000000", "0.0200000000"]
    attach(home, file)  # its own file it replaces
    assert [path.name for path in tmp_path.glob("*analytics*")] == ["analytics.duckdb"]
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is there already, and is no file of edgetoll's"):
        attach(home, tmp_path / "notes.txt")


def test_a_home_whose_link_was_copied_as_a_folder_gets_its_link_back(tmp_path: Path) -> None:
    home = published(make_home(tmp_path))
    link = home / "lake" / "current"
    target = link.readlink()
    link.unlink()
    link.mkdir()
    (link / "old.parquet").touch()
    assert published(home).joinpath("lake", "current").readlink() == target
