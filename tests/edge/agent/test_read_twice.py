"""A log read under two edge names is counted twice, and told (E10); so are archives left (E2)."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.agent.status import edge_statuses
from edge.logs.rotation import packed_files
from tests.edge.agent.test_commands import home, run
from tests.edge.logs.reading import nginx_lines

__all__ = ["home"]


def reading(home: Path, edge: str, log: Path, *, tailed: bool = False) -> list[object]:
    """The words by which `edge` reads `log`."""
    how = ["tail", "--log", log, "--from", "beginning", "--once"] if tailed else ["import", log]
    return [*how, "--format", "nginx", "--edge", edge, "--region", "DE", "--home", home]


def packed(log: Path) -> None:
    """The log is a gzip file of another name."""
    log.with_name("b.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))


def grown(log: Path) -> None:
    """A copy to which more was written."""
    log.with_name("b.log").write_text(log.read_text() + nginx_lines(900, 950))


def shorter(log: Path) -> None:
    """A copy that was made before the log was written to its end."""
    log.with_name("b.log").write_text(nginx_lines(0, 40))


@pytest.mark.parametrize("tailed", [False, True], ids=["imported", "tailed"])
@pytest.mark.parametrize(
    ("change", "name", "events"),
    [
        (lambda _log: None, "a.log", 300),
        (packed, "b.log.1.gz", 300),
        (grown, "b.log", 300),
        (shorter, "b.log", 40),
    ],
    ids=["the same file", "packed", "grown", "shorter"],
)
def test_e10_a_log_read_as_another_edge_is_told_by_the_command_and_by_the_status(
    change: Callable[[Path], None],
    name: str,
    events: int,
    tailed: bool,
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 300))
    assert "under both" not in run(capsys, *reading(home, "e1", log))[2]
    change(log)
    if tailed and name.endswith(".gz"):
        log = home / "b.log"
        log.write_text("")
    else:
        log = home / name
    _, _, err = run(capsys, *reading(home, "e2", log, tailed=tailed))
    told = f"{name} was read as edge e1 too: {events} requests of it are counted under both"
    assert told in err
    found = {str(each["edge_id"]): each for each in edge_statuses(home, datetime.now(UTC))}
    assert told in str(found["e2"]["read_twice"])
    assert "a.log was read as edge e2 too" in str(found["e1"]["read_twice"])
    _, out, _ = run(capsys, "status", "--home", home, "--json")
    assert told in json.dumps(json.loads(out))


def test_e10_logs_that_begin_alike_and_go_on_otherwise_are_two_logs(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for edge, second in (("e1", 1), ("e2", 2)):
        log = home / f"{edge}.log"
        log.write_text(nginx_lines(0, 1) + nginx_lines(second, 300 + second))
        assert "under both" not in run(capsys, *reading(home, edge, log))[2]
    assert [each["read_twice"] for each in edge_statuses(home, datetime.now(UTC))] == [[], []]


def test_e2_of_more_archives_than_are_remembered_by_name_none_is_forgotten(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 9))
    for number in range(1, 201):
        (home / f"a.log.{number}.bz2").write_bytes(bz2.compress(nginx_lines(9, 30).encode()))
    words = reading(home, "e1", log, tailed=True)
    assert run(capsys, *words)[0] == 1
    *others, last = packed_files(log)
    for one in others:
        one.path.unlink()
    code, _, err = run(capsys, *words)
    assert (code, f"{last.path} was there before the agent" in err) == (1, True)
    assert run(capsys, *words, "--give-up")[0] == 0


@pytest.mark.parametrize("name", ["a.log.1.bz2", "a.log.2.zst", "a.log-20261130.tar.gz"])
def test_e2_an_archive_of_before_that_no_agent_reads_holds_the_promise_until_given_up(
    name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 9))
    (home / name).write_bytes(bz2.compress(nginx_lines(9, 30).encode()))
    words = reading(home, "e1", log, tailed=True)
    for _ in range(2):  # a restart does not forget it
        code, _, err = run(capsys, *words)
        assert (code, f"{name} was there before the agent" in err) == (1, True)
    assert run(capsys, *words, "--give-up")[0] == 0
    assert run(capsys, *words)[0] == 0
    others = reading(home, "e2", log, tailed=True)
    others[others.index("beginning")] = "end"
    assert run(capsys, *others)[0] == 0
