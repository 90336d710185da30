"""M4, M6: a query ends when its time or its memory is used up, whatever it is made of."""

from __future__ import annotations

import resource
import time
from datetime import timedelta
from pathlib import Path

import pytest

from billing.analysts import sql_command
from billing.lake import limited, query
from billing.lake.query import connect, spill_folder
from edge.errors import EdgetollError, InputError
from tests.billing.homes import START, Use, close_hours, make_home
from tests.billing.runner import published, rate
from tests.effort import PATIENCE_S

HOUR = timedelta(hours=1)
MEMORY_MB = 300
# What each of these took before: 2 to 9 GB, or a minute and more.
TOO_MUCH = {
    "a folded range": "select unnest(range(100000000))",
    "a folded text": "select length(repeat('x', 2000000000))",
    "a folded padding": "select rpad('x', 2000000000, 'y')",
    "a folded list as text": "select length(array_to_string(range(60000000), ','))",
    "a folded reduction": "select list_reduce(range(50000000), lambda a, b: a + b)",
    "a list of rows": "select list(i) from range(300000000) t(i)",
    "an aggregated text": "select string_agg(repeat('abc', 1000), '') from range(10000000)",
    "a recursion that grows": (
        "with recursive r(n, s) as (select 1, repeat('x', 1000000) union all"
        " select n + 1, s || s from r where n < 100) select sum(length(s)) from r"
    ),
    "a recursion without an end": (
        "with recursive r(n) as (select 1 union all select n + 1 from r) select count(*) from r"
    ),
    "a pattern over much": (
        "select sum(length(regexp_replace(repeat('ab', 4000) || i, '(a|b|ab)*c', 'x')))"
        " from range(100000000) t(i)"
    ),
    "a product of everything": "select count(*) from range(1000000) a, range(1000000) b",
}


ENDLESS = ("a recursion without an end", "a pattern over much", "a product of everything")
"""Only time ends these."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(make_home(tmp_path_factory.mktemp("limits")))


@pytest.mark.parametrize("what", TOO_MUCH)
def test_m4_time_and_memory_end_whatever_is_asked(what: str, home: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.csv"
    began = time.monotonic()
    with pytest.raises(EdgetollError, match=r"longer than|[Mm]emory") as caught:
        sql_command.sql(TOO_MUCH[what], file=None, format_="csv", output=output,
                  timeout=1 if what in ENDLESS else 3, memory=f"{MEMORY_MB}MB",
                  home=home)  # fmt: skip
    assert "\n" not in caught.value.message
    assert "--memory" in caught.value.hint or "--timeout" in caught.value.hint
    assert time.monotonic() - began < PATIENCE_S
    assert list(tmp_path.iterdir()) == []
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    assert most < own + MEMORY_MB + (limited.HEADROOM >> 20)


def test_m4_what_a_stopped_query_spilled_is_removed(home: Path) -> None:
    from tempfile import gettempdir

    def spilled() -> set[Path]:
        return set(Path(gettempdir()).glob("edgetoll-sql-*/*"))

    before = spilled()
    with pytest.raises(EdgetollError):
        sql_command.sql("select count(*) from (select distinct hash(i) from range(900000000) t(i))",
                  file=None, format_="csv", timeout=3, memory="60MB", home=home)  # fmt: skip
    assert spilled() <= before


def test_g14_what_a_query_spills_lies_where_nobody_else_can_look(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    connect(home).close()
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert spill_folder(1).parent == folder
    folder.chmod(0o755)
    with pytest.raises(InputError, match="can be entered by other users"):
        connect(home)
    folder.rmdir()
    folder.symlink_to(home)
    with pytest.raises(InputError, match="can be entered by other users"):
        connect(home)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    connect(home).close()  # what need not spill needs no folder


def test_m4_a_query_within_its_limits_gives_its_rows_and_its_errors(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sql_command.sql("select sum(i) as s from range(1000000) t(i)", file=None, format_="csv",
              memory=f"{MEMORY_MB}MB", home=home)  # fmt: skip
    assert capfd.readouterr().out.split() == ["s", "499999500000"]
    with pytest.raises(InputError, match="beyond"):
        sql_command.sql("select error('beyond')", file=None, format_="csv", home=home)


def test_m4_somebody_slow_at_the_other_end_costs_a_query_no_time(home: Path) -> None:
    """The alarm runs while DuckDB works, not while rows are written away."""
    import os
    import threading

    reading, writing = os.pipe()
    taken: list[int] = []

    def read_slowly() -> None:
        with open(reading, "rb") as pipe:
            until = time.monotonic() + 4
            while time.monotonic() < until:
                threading.Event().wait(0.05)
            taken.append(len(pipe.read()))

    reader = threading.Thread(target=read_slowly)
    reader.start()
    sql_command.sql("select i, repeat('x', 100) as x from range(60000) t(i)", format_="csv",
              output=Path(f"/dev/fd/{writing}"), timeout=2, home=home)  # fmt: skip
    os.close(writing)
    reader.join()
    assert taken[0] > 6_000_000


def test_m6_a_flipped_bit_in_what_is_read_is_one_line_wherever_it_stands(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 1, [Use()])
    rate(home)
    close_hours(home, START + HOUR, 1, [Use()])
    (home / "live").mkdir()
    closed = max(home.glob("closed/hour=*/*.parquet"))
    live = home / "live" / "partition=other.parquet"
    live.write_bytes(closed.read_bytes())
    text = "select * from usage_5min, charges, lake_domains"
    for path, certain in ((closed, True), (live, False)):
        whole = path.read_bytes()
        refused = 0
        places = range(0, len(whole), 97)
        for place in places:
            changed = bytearray(whole)
            changed[place] ^= 255
            path.write_bytes(changed)
            refused += was_refused(home, text, tmp_path / "a.csv")
        path.write_bytes(whole)
        assert refused == len(places) if certain else refused > 0


def was_refused(home: Path, text: str, output: Path) -> bool:
    """Whether a query was refused, in one line; any other exception is the test's failure."""
    try:
        query.answer(home, text, "csv", output, query.QueryLimits())
    except EdgetollError as error:
        return error.message.count("\n") == 0
    return False
