"""Any log by the commands: a format string, auto, counts, folders, formats check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.edge.agent.test_commands import home, run
from tests.edge.logs.reading import nginx_lines, spool_content

__all__ = ["home"]

COMBINED = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
LINES = (
    '192.0.2.1 - - [30/Nov/2025:10:00:00 +0000] "GET / HTTP/2.0" 200 5\n'
    '192.0.2.1 - jane doe [30/Nov/2025:10:00:00 +0000] "GET / HTTP/3.0" 304 0\n'
)
WHERE = ("--edge", "e1", "--region", "DE")


@pytest.fixture
def log(home: Path) -> Path:
    path = home / "access.log"
    path.write_text(LINES)
    return path


def test_a_log_by_its_servers_own_string_is_counted(
    home: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["import", log, "--log-format", COMBINED, *WHERE, "--home", home]
    code, _, err = run(capsys, *command)
    assert (code, "does not say the scheme" in err) == (1, True)
    assert not (home / "spool" / "e1").exists(), "a question leaves no edge"
    code, out, _ = run(capsys, *command, "--scheme", "https", "--host", "a.example", "--json")
    assert (code, json.loads(out)["events"]) == (0, 2)
    found = spool_content(home / "spool" / "e1")
    assert (found.classes, found.domains) == ({"https": 1, "quic": 1}, {"a.example": 2})


def test_one_of_format_and_log_format_is_given(
    home: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([], ["--format", "combined", "--log-format", COMBINED]):
        code, _, err = run(capsys, "import", log, *words, *WHERE, "--home", home)
        assert (code, "give one of --format and --log-format" in err) == (1, True)


def test_auto_names_the_format_and_what_is_to_be_said(
    home: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["import", log, "--format", "auto", *WHERE, "--home", home]
    code, _, err = run(capsys, *command)
    assert (code, "common does not say the scheme" in err) == (1, True)
    code, _, err = run(capsys, *command, "--scheme", "http", "--host", "a.example")
    assert (code, "--format auto: common (2 of 2 lines" in err) == (0, True)
    other = home / "other.log"
    other.write_text(nginx_lines(0, 3))
    code, _, err = run(capsys, *command, str(other))
    assert (code, "in several formats: common, nginx" in err) == (1, True)
    other.write_text(json.dumps([json.loads(line) for line in nginx_lines(0, 3).split()]))
    code, out, _ = run(
        capsys, "import", other, "--format", "auto", *WHERE, "--home", home, "--json"
    )
    assert (code, json.loads(out)["events"]) == (0, 3), "an array of records"
    other.write_text("nothing that anybody knows\n")
    code, _, err = run(capsys, "import", other, "--format", "auto", *WHERE, "--home", home)
    assert (code, "no format reads its lines" in err) == (1, True)


def test_an_agent_takes_a_format_string_and_what_the_log_lacks_from_its_settings(
    home: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "edgetoll.toml").write_text(
        '[edge]\nedge_id = "e1"\nregion = "DE"\nstart_from = "beginning"\n'
        f"[[edge.logs]]\npath = '{log}'\nlog_format = '{COMBINED}'\n"
        'scheme = "https"\nhost = "a.example"\n'
    )
    code, out, _ = run(capsys, "tail", "--once", "--home", home, "--json")
    assert (code, json.loads(out)["events"]) == (0, 2)
    assert spool_content(home / "spool" / "e1").domains == {"a.example": 2}


def test_counts_and_folders_come_in_by_the_same_command(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = home / "usage"
    usage.mkdir()
    (usage / "a.csv").write_text(
        "time,domain,class,requests,bytes\n2025-11-30T10:00:00Z,a.example,https,9,90\n"
    )
    words = ["import", usage, "--format", "counts", *WHERE, "--home", home]
    proof = home / "x.json"
    code, out, _ = run(capsys, *words, "--json", "--through", "2025-12-01", "--evidence", proof)
    assert (code, json.loads(out)["events"]) == (0, 1)
    assert run(capsys, "evidence", "verify", proof)[0] == 0
    _, out, _ = run(capsys, *words, "--json")
    assert json.loads(out)["notes"] == ["1 object was taken before"]


def test_formats_lists_what_is_known_and_what_has_to_be_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run(capsys, "formats", "--json")
    found = {each["name"]: each["say"] for each in json.loads(out)}
    assert (code, found["nginx"], found["combined"]) == (0, [], ["scheme", "host"])
    assert len(found) == 38


def test_formats_check_shows_events_beside_lines_refusals_and_fields_nobody_reads(
    home: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = home / "mine.toml"
    mapping.write_text(f"log_format = '{COMBINED}'\nscheme = 'https'\nhost = {{ value = 'a.b' }}\n")
    with open(log, "a") as file:
        file.write("broken \x1b[31m\n")
    code, out, err = run(capsys, "formats", "check", mapping, log, "--json")
    found = json.loads(out)
    assert (code, found["lines"], found["events"], found["refused"]) == (1, 3, 2, {"syntax": 1})
    assert "1 of 3 lines cannot be read as mine" in err
    assert found["first"][1] == {
        "line": 2,
        "raw": LINES.splitlines()[1],
        "event": {
            "time": "2025-11-30T10:00:00Z",
            "domain": "a.b",
            "class": "quic",
            "status": 304,
            "bytes_sent": 0,
            "cache": None,
        },
    }
    assert found["unmapped"] == ["remote_addr", "remote_user"]
    code, out, _ = run(capsys, "formats", "check", mapping, log)
    assert "2025-11-30T10:00:00Z  a.b  quic  304  0" in out
    assert "\x1b" not in out
    log.write_text(nginx_lines(0, 12))
    code, out, _ = run(capsys, "formats", "check", "nginx", log, "--json")
    assert (code, json.loads(out)["unmapped"], len(json.loads(out)["first"])) == (0, [], 10)
