"""`edgetoll edge import | tail | status` as people and programs call them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import edgetoll
from tests.edge.logs.reading import nginx_lines, open_spool, spool_content

HERE = Path(__file__).resolve()
REAL = HERE.parents[3] / "examples" / "logs" / "nginx-real.log"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home."""
    path = tmp_path / "home"
    path.mkdir()
    return path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, output and messages of one command."""
    code = edgetoll.main(["edge", *(str(word) for word in words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def importing(home: Path, *files: Path) -> list[object]:
    """The words of an import of nginx logs as edge e1."""
    return ["import", *files, "--format", "nginx", "--edge", "e1", "--region", "DE", "--home", home]


def test_import_answers_with_the_public_keys_and_twice_adds_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, *importing(home, REAL), "--json")
    first = json.loads(out)
    public = ("files", "lines", "events", "duplicates", "skipped")
    assert (code, {key: first[key] for key in public}) == (
        0,
        {"files": 1, "lines": 56, "events": 56, "duplicates": 0, "skipped": {}},
    )
    _, out, _ = run(capsys, *importing(home, REAL), "--json")
    assert [json.loads(out)[key] for key in public] == [1, 56, 0, 56, {}]
    assert spool_content(home / "spool" / "e1").events == 56


def test_through_is_a_promise_that_travels_in_the_spool(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, *importing(home, REAL))
    assert spool_content(home / "spool" / "e1").watermark_ms == 0
    run(capsys, *importing(home, REAL), "--through", "2026-12-01")
    assert spool_content(home / "spool" / "e1").watermark_ms == 1_796_083_200_000


def test_import_prints_a_table_for_people(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 1200) + "{broken\n")
    _, out, _ = run(capsys, *importing(home, log))
    assert "1,201" in out
    assert "skipped: syntax" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "apache", "--edge", "e1", "--region", "DE"), "no format «apache»"),
        (("--format", "nginx", "--edge", "../e1", "--region", "DE"), "--edge «../e1» cannot"),
        (("--format", "nginx", "--edge", "e1", "--region", ""), "--region «» cannot"),
        (
            ("--format", "nginx", "--edge", "e1", "--region", "DE", "--through", "soon"),
            "«soon» is not a time",
        ),
    ],
)
def test_a_wrong_option_ends_in_one_line_and_a_hint(
    words: tuple[str, ...], message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "import", REAL, *words, "--home", home)
    assert (code, out) == (1, "")
    assert message in err
    assert "hint:" in err
    assert not (home / "spool").exists()


def test_a_home_that_is_not_there_is_never_made_by_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, *importing(tmp_path / "none", REAL))
    assert code == 1
    assert "edgetoll init" in err


def test_tail_once_reads_all_and_promises_then_nothing_new(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "access.log"
    log.write_text(REAL.read_text())
    words = ["tail", "--log", log, "--edge", "e1", "--region", "DE", "--home", home, "--once"]
    code, _, err = run(capsys, *words)
    assert code == 1
    assert "--from beginning" in err
    code, out, _ = run(capsys, *words, "--from", "beginning", "--json", "--no-promise")
    assert (code, json.loads(out)["events"], json.loads(out)["watermark_ms"]) == (0, 56, 0)
    code, out, _ = run(capsys, *words, "--json", "--through", "2026-12-01")
    assert json.loads(out)["events"] == 0
    assert spool_content(home / "spool" / "e1").watermark_ms >= 1_796_083_200_000


def test_tail_takes_what_is_not_said_from_the_settings_file(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "access.log"
    log.write_text(REAL.with_suffix(".tsv").read_text())
    (home / "edgetoll.toml").write_text(
        f'[edge]\nedge_id = "e9"\nregion = "DE"\nstart_from = "beginning"\n'
        f'[[edge.logs]]\npath = "{log}"\nformat = "nginx-tsv"\n'
    )
    code, out, _ = run(capsys, "tail", "--once", "--home", home, "--json")
    assert (code, json.loads(out)["events"]) == (0, 56)
    assert spool_content(home / "spool" / "e9").events == 56


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[edge]\nlog_buffer_second = 9\n", "edgetoll.toml, line 2, key edge.log_buffer_second"),
        ('[edge]\n[edge.kafak]\nbootstrap = "b:1"\n', "edgetoll.toml, line 2, key edge.kafak"),
        ('# ours\n[egde]\nregion = "DE"\n', "edgetoll.toml, line 2, key egde"),
        ("", "edgetoll.toml is blank"),
    ],
)
@pytest.mark.parametrize("command", ["tail", "ship"])
def test_a_misspelt_key_or_section_is_an_error_with_its_line(
    command: str, text: str, message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "edgetoll.toml").write_text(text)
    more = ["--once"] if command == "tail" else ["--drain"]
    code, _, err = run(capsys, command, *more, "--home", home)
    assert (code, message in err) == (1, True), err


def test_a_second_agent_of_an_edge_is_told_who_writes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_spool(home / "spool" / "e1"):
        code, _, err = run(capsys, *importing(home, REAL))
    assert code == 75
    assert f"writer.lock is held by the agent of edge e1 (process {os.getpid()}: " in err


def test_tail_without_logs_or_names_says_what_is_missing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "tail", "--once", "--home", home)
    assert code == 1
    assert "edge_id (--edge), region (--region), logs (--log)" in err


def test_a_wrong_setting_names_file_key_and_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "edgetoll.toml").write_text('[edge]\nedge_id = "e1"\nstart_from = "middle"\n')
    code, _, err = run(capsys, "tail", "--once", "--home", home)
    assert code == 1
    assert "line 3, key edge.start_from" in err


def test_status_tells_each_spool_and_what_was_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 15) + "{broken\n")
    run(capsys, *importing(home, log), "--through", "2026-12-01")
    code, out, _ = run(capsys, "status", "--home", home, "--json")
    (status,) = json.loads(out)["edges"]
    assert code == 0
    assert (status["edge_id"], status["region"], status["batches"]) == ("e1", "DE", 2)
    assert (status["events"], status["refused"]) == (15, {"syntax": 1})
    assert status["watermark"] == "2026-12-01T00:00:00Z"
    code, out, _ = run(capsys, "status", "--home", home)
    assert "e1" in out


def test_status_says_who_writes_when_and_how_far_the_promise_reaches(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, *importing(home, REAL), "--through", "2001-01-01")
    with open_spool(home / "spool" / "e1"):
        code, out, _ = run(capsys, "status", "--home", home, "--json")
    (status,) = json.loads(out)["edges"]
    assert code == 0
    assert status["writer"]["pid"] == os.getpid()
    assert 0 <= status["written_seconds_ago"] < 60
    assert status["watermark_seconds_ago"] > 700_000_000
    assert [(log["name"], log["format"], log["events"]) for log in status["logs"]] == [
        ("nginx-real.log", "nginx", 56)
    ]
    assert status["problems"] == []
    code, out, _ = run(capsys, "status", "--home", home, "--json")
    assert json.loads(out)["edges"][0]["writer"] is None


def test_a3_status_names_a_damaged_spool_and_still_shows_the_others(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, *importing(home, REAL))
    run(capsys, *(str(word).replace("e1", "e2") for word in importing(home, REAL)))
    (home / "spool" / "e1" / "epoch.json").write_text("")
    code, out, err = run(capsys, "status", "--home", home)
    assert code == 0
    assert "damaged" in out
    assert "epoch.json cannot be read" in err
    assert "e2" in out
    code, _, err = run(capsys, "status", "--home", home / "none")
    assert (code, "no home at" in err) == (1, True)


def test_a3_an_import_into_a_damaged_spool_says_what_was_lost(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, *importing(home, REAL))
    (segment,) = (home / "spool" / "e1").glob("*.seg")
    segment.write_bytes(segment.read_bytes()[:-1])
    code, _, err = run(capsys, *importing(home, REAL))
    assert (code, "batches that were durable are gone" in err) == (0, True)


@pytest.mark.parametrize("place", ["spool", "spool/e1"])
def test_a_spool_that_cannot_be_opened_is_one_clear_error(
    place: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / place).parent.mkdir(exist_ok=True)
    (home / place).write_text("not a folder")
    code, _, err = run(capsys, *importing(home, REAL))
    assert (code, "cannot be opened" in err) == (1, True)
