"""`edge tail` says what it did not read, and promises nothing then (E2, E3, E10, E11, E12)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.agent.report import read_report
from edge.batch.codec import decode_header
from edge.spool.segment import read_frames
from tests.edge.agent.test_commands import REAL, home, run
from tests.edge.agent.test_import_in_silence import COMBINED, doubled
from tests.edge.logs.reading import nginx_lines, spool_content
from tests.effort import PATIENCE_S

__all__ = ["home"]


def tailing(home: Path, log: Path, *more: object) -> list[object]:
    """The words of an agent of edge e1 that reads `log` to its end."""
    words = ["tail", "--log", log, "--edge", "e1", "--region", "DE", "--home", home]
    return [*words, "--from", "beginning", "--once", *more]


def promise(home: Path) -> int:
    """How far the promise of edge e1 reaches."""
    return spool_content(home / "spool" / "e1").watermark_ms


def held(home: Path) -> list[str]:
    """Why the promise of e1 stands still, as `edge status` and its batches say."""
    report = list(read_report(home / "spool" / "e1").held)
    headers = [decode_header(f.payload) for f in read_frames(home / "spool" / "e1")]
    assert ("; ".join(report))[:1000] == headers[-1].held
    return report


@pytest.mark.parametrize("name", ["missing.log", "no/such/folder/a.log"])
def test_e12_an_agent_that_reads_a_missing_log_once_leaves_no_edge_behind(
    name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, *tailing(home, home / name))
    assert (code, f"{name} is not there" in err) == (1, True)
    assert not (home / "spool").exists()


def test_e12_a_log_that_was_there_before_may_be_missing_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 5))
    assert run(capsys, *tailing(home, log))[0] == 0
    log.rename(home / "a.log.1")
    code, _, err = run(capsys, *tailing(home, log))
    assert (code, "a.log is not there" in err) == (1, True)
    log.write_text(nginx_lines(5, 7))
    assert run(capsys, *tailing(home, log))[0] == 0
    assert spool_content(home / "spool" / "e1").events == 7


@pytest.mark.parametrize("form", ["nginx", "nginx-tsv", "cloudfront", "caddy", "elb"])
def test_e3_a_log_of_which_nothing_is_understood_holds_the_promise(
    form: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_bytes(COMBINED)
    for _ in range(2):
        code, _, err = run(capsys, *tailing(home, log, "--format", form))
        assert (code, "could not be read as" in err) == (1, True)
        assert promise(home) == 0
        assert "20 of 20 lines could not be read" in held(home)[0]
    assert run(capsys, *tailing(home, log, "--format", form, "--allow-refused"))[0] == 0
    assert promise(home) > 0
    assert held(home) == []


def test_e3_the_right_format_reads_what_the_wrong_one_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_bytes(REAL.read_bytes())
    code, _, err = run(capsys, *tailing(home, log, "--format", "caddy"))
    assert (code, "56 of 56 lines could not be read as caddy" in err) == (1, True)
    code, out, _ = run(capsys, *tailing(home, log, "--json"))
    assert (code, json.loads(out)["events"]) == (0, 56)
    assert promise(home) > 0


def test_e3_a_log_that_requests_were_read_from_may_hold_none_for_a_while(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    debug = '{"level":"debug","ts":1789999000.8,"logger":"http.handlers","msg":"up"}\n'
    access = (
        '{"ts":1789999000.7,"logger":"http.log.access","request":{"proto":"HTTP/1.1","host":'
        '"a.example"},"size":5,"status":200}\n'
    )
    log = home / "a.log"
    log.write_text(debug * 3)
    assert run(capsys, *tailing(home, log, "--format", "caddy"))[0] == 1
    log.write_text(debug * 3 + access)
    assert run(capsys, *tailing(home, log, "--format", "caddy"))[0] == 0
    log.rename(home / "a.log.1")
    log.write_text(debug * 4)
    assert run(capsys, *tailing(home, log, "--format", "caddy"))[0] == 0


@pytest.mark.parametrize(("bad", "expected"), [(1, 0), (9, 0), (10, 1), (50, 1)])
def test_e3_a_tenth_of_the_lines_holds_the_promise(
    bad: int, expected: int, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 100 - bad) + "{broken\n" * bad)
    code, out, _ = run(capsys, *tailing(home, log, "--json"))
    assert code == expected
    assert (promise(home) == 0) == bool(expected)
    assert json.loads(out)["examples"]["syntax"].startswith(f"a.log, line {101 - bad}: syntax")


def test_e2_what_was_begun_and_is_gone_ends_with_an_error_until_it_is_found(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, old = home / "a.log", home / "old"
    log.write_text(nginx_lines(0, 5))
    assert run(capsys, *tailing(home, log))[0] == 0
    before = promise(home)
    with open(log, "a") as file:
        file.write(nginx_lines(5, 9))
    old.mkdir()
    log.rename(old / "a-20261130.log")
    log.write_text(nginx_lines(9, 12))
    for _ in range(2):
        code, _, err = run(capsys, *tailing(home, log))
        assert (code, "cannot be found any more" in err) == (1, True)
        assert promise(home) == before
        assert "read up to byte" in held(home)[0]
        code, out, _ = run(capsys, "status", "--home", home, "--json")
        assert "cannot be found any more" in json.loads(out)["edges"][0]["held"][0]
        _, _, err = run(capsys, "status", "--home", home)
        assert "promise stands still" in err
    code, _, _ = run(capsys, *tailing(home, log, "--rotated", old / "*"))
    assert code == 0
    assert spool_content(home / "spool" / "e1").events == 12
    assert promise(home) > before


def test_e2_a_person_may_give_up_what_is_gone(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 5))
    run(capsys, *tailing(home, log))
    log.unlink()
    log.write_text(nginx_lines(9, 12))
    assert run(capsys, *tailing(home, log))[0] == 1
    code, _, err = run(capsys, *tailing(home, log, "--give-up"))
    assert (code, "given up" in err) == (0, True)
    assert run(capsys, *tailing(home, log))[0] == 0


def test_e2_where_rotated_files_are_may_stand_in_the_settings(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, old = home / "a.log", home / "old"
    old.mkdir()
    (old / "a.log.1").write_text(nginx_lines(0, 5))
    log.write_text(nginx_lines(5, 9))
    (home / "edgetoll.toml").write_text(
        '[edge]\nedge_id = "e1"\nregion = "DE"\nstart_from = "beginning"\n'
        f'[[edge.logs]]\npath = "{log}"\nrotated = ["{old}/*"]\n'
    )
    assert run(capsys, "tail", "--once", "--home", home)[0] == 0
    assert spool_content(home / "spool" / "e1").events == 9


@pytest.mark.parametrize("drop", [False, True])
def test_e10_an_agent_tells_of_requests_logged_twice_and_drops_them_on_demand(
    drop: bool, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_bytes(doubled("nginx", 900))
    code, out, err = run(capsys, *tailing(home, log, *(["--drop-repeated"] * drop), "--json"))
    assert (code, json.loads(out)["repeated_ids"]) == (0, 900)
    assert json.loads(out)["events"] == (900 if drop else 1800)
    assert "does the server log each request twice" in err
    assert read_report(home / "spool" / "e1").repeated_ids == 900


def test_e11_what_stands_at_the_end_without_a_line_end_is_told(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    (home / "a.log.1").write_text(nginx_lines(0, 5) + "half a record")
    (home / "a.log.2").write_text(nginx_lines(5, 9) + "x" * 20_000_000)
    log.write_text(nginx_lines(9, 12))
    os.utime(home / "a.log.1", (1, 1))
    os.utime(home / "a.log.2", (1, 1))
    code, out, err = run(capsys, *tailing(home, log, "--json"))
    assert (code, json.loads(out)["events"]) == (0, 12)
    assert json.loads(out)["skipped"] == {"unterminated": 1}
    assert "its last line, 13 bytes, has no end and is no record" in err
    assert "the last 20,000,000 bytes have no line end" in err


def test_e8_a_hole_in_a_log_that_is_followed_is_passed_over(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 5))
    run(capsys, *tailing(home, log))
    (home / "a.log.1").write_bytes(log.read_bytes())
    size = 40_000_000
    with open(log, "r+b") as file:  # cut, and written on at the old place
        file.truncate(0)
        file.seek(size)
        file.write(nginx_lines(5, 9).encode())
    code, out, _ = run(capsys, *tailing(home, log, "--json"))
    assert (code, json.loads(out)["events"], json.loads(out)["nul_bytes"]) == (0, 4, size)


def test_e2_a_running_agent_tells_metering_why_its_promise_stands_still(home: Path) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 5))
    (home / "edgetoll.toml").write_text("[edge]\nheartbeat_seconds = 0.05\n")
    words = [str(word) for word in tailing(home, log, "--poll", "0.02") if word != "--once"]
    with subprocess.Popen([sys.executable, "-m", "edgetoll", "edge", *words]) as agent:
        try:
            wait_for(lambda: promise(home) > 0)
            log.rename(home / "moved")
            wait_for(lambda: "a.log is not there" in str(read_report(home / "spool" / "e1").held))
            wait_for(lambda: last_held(home) == f"{log} is not there")
            log.write_text(nginx_lines(5, 9))
            wait_for(lambda: last_held(home) == "" and not read_report(home / "spool" / "e1").held)
        finally:
            agent.terminate()
    assert spool_content(home / "spool" / "e1").events == 9


def last_held(home: Path) -> str:
    """Why the promise stands still, in the last batch of e1."""
    frames = list(read_frames(home / "spool" / "e1"))
    return decode_header(frames[-1].payload).held


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is true, for as long as a slow machine may need."""
    until = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not _true(true):
        assert time.monotonic() < until
        pause.wait(0.01)


def _true(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except (FileNotFoundError, IndexError):
        return False
