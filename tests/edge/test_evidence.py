"""Evidence says what was counted from each log, and whoever has the log can recount."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from edge.batch.records import EventColumns
from edge.event import BYTES_SENT_MAX
from edge.evidence.tally import FileTally
from edge.logs.positions import StreamPosition
from edge.logs.streams import Step
from tests.edge.agent.test_commands import home, run
from tests.edge.logs.reading import nginx_line, nginx_lines

__all__ = ["home"]


def importing(home: Path, *words: str | Path) -> list[str]:
    options = ["--edge", "e1", "--region", "DE", "--home", str(home)]
    return ["import", *map(str, words), *options]


@pytest.fixture
def log(home: Path) -> Path:
    path = home / "a.log"
    path.write_text(nginx_lines(0, 5) + nginx_line(7, scheme="http") + "{broken\n")
    return path


def test_evidence_has_hash_lines_times_and_totals_and_is_kept_below_the_spool(
    home: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = home / "out.json"
    command = importing(home, log, "--format", "nginx", "--evidence", out, "--allow-refused")
    assert run(capsys, *command)[0] == 0
    found = json.loads(out.read_text())
    (one,) = found["files"]
    assert (found["edge"], one["name"]) == ("e1", str(log))
    assert (one["lines"], one["events"], one["refused"]) == (7, 6, {"syntax": 1})
    assert one["totals"] == [
        {"domain": "www.example.com", "class": "http", "requests": 1, "bytes_sent": 1007},
        {"domain": "www.example.com", "class": "https", "requests": 5, "bytes_sent": 5010},
    ]
    kept = home / "spool" / "e1" / "evidence" / f"{one['sha256']}.json"
    assert json.loads(kept.read_text()) == one
    assert run(capsys, "evidence", "verify", str(out))[0] == 0
    assert run(capsys, "evidence", "verify", str(kept))[0] == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace('"bytes_sent":"1001"', '"bytes_sent":"1002"'), "totals"),
        (lambda text: text + nginx_line(9), "events: 6 in the evidence, 7 now"),
        (lambda text: text.replace("{broken", "{broke"), "bytes"),
    ],
)
def test_a_log_that_is_another_now_is_told_in_what(
    change: object, told: str, home: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = home / "out.json"
    command = importing(home, log, "--format", "nginx", "--evidence", out, "--allow-refused")
    run(capsys, *command)
    log.write_text(change(log.read_text()))  # type: ignore[operator]
    code, text, _ = run(capsys, "evidence", "verify", str(out), "--json")
    (found,) = json.loads(text)
    assert code == 1
    assert any(each.startswith("sha256") for each in found["differs"])
    assert told in "; ".join(found["differs"])
    log.unlink()
    assert run(capsys, "evidence", "verify", str(out))[0] == 1


def test_a_file_that_was_read_before_is_counted_again_for_evidence_and_found_by_its_hash(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, moved, out = home / "b.log.gz", home / "old.gz", home / "out.json"
    line = '192.0.2.1 - - [30/Nov/2025:10:00:00 +0000] "GET / HTTP/1.1" 200 5\n'
    log.write_bytes(gzip.compress(line.encode() * 3))
    said = ["--log-format", '%h %l %u %t "%r" %>s %b', "--scheme", "https", "--host", "a.example"]
    assert run(capsys, *importing(home, log, *said))[0] == 0
    assert run(capsys, *importing(home, log, *said, "--evidence", out))[0] == 0
    (one,) = json.loads(out.read_text())["files"]
    assert one["totals"] == [
        {"domain": "a.example", "class": "https", "requests": 3, "bytes_sent": 15}
    ]
    log.rename(moved)
    assert run(capsys, "evidence", "verify", str(out))[0] == 1
    assert run(capsys, "evidence", "verify", str(out), str(moved))[0] == 0


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"kind": "edgetoll evidence 1"}', '{"files": 1}']
)
def test_what_is_no_evidence_is_one_clear_error(
    text: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "x.json").write_text(text)
    code, _, err = run(capsys, "evidence", "verify", str(home / "x.json"))
    assert (code, "is no evidence of edgetoll" in err) == (1, True)


def verified(capsys: pytest.CaptureFixture[str], out: Path, *logs: Path) -> list[str]:
    """In what the logs differ from the evidence at `out`."""
    code, text, err = run(capsys, "evidence", "verify", str(out), *map(str, logs), "--json")
    differs = [each for one in json.loads(text) for each in one["differs"]]
    assert code == bool(differs), err
    return differs


def test_objects_of_a_folder_or_store_have_evidence_under_their_address(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`file://` is read through the file system of pyarrow, as `s3://` is."""
    logs, out, again = home / "logs", home / "out.json", home / "again.json"
    logs.mkdir()
    for number in range(2):
        (logs / f"{number}.log").write_text(nginx_lines(10 * number, 10 * number + 3))
    said = ["--format", "nginx", "--evidence"]
    assert run(capsys, *importing(home, f"file://{logs}", *said, out))[0] == 0
    files = json.loads(out.read_text())["files"]
    assert [(each["name"], each["events"]) for each in files] == [
        (f"file://{logs}/{number}.log", 3) for number in range(2)
    ]
    assert verified(capsys, out) == []
    for each in files:
        assert verified(capsys, home / "spool" / "e1" / "evidence" / f"{each['sha256']}.json") == []
    (logs / "1.log").write_text(nginx_lines(10, 12))
    assert "events: 3 in the evidence, 2 now" in verified(capsys, out)
    assert run(capsys, *importing(home, logs, *said, again))[0] == 0
    assert all(each["name"].startswith("/") for each in json.loads(again.read_text())["files"])


def test_rows_of_usage_have_evidence_that_counts_each_row_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usage, out = home / "usage.csv", home / "out.json"
    rows = [
        "2026-03-01T10:00:00Z,a.example,https,10,1000",
        "2026-03-01T10:05:00Z,b.example,quic,5,7",
    ]
    wrong = ["2026-03-01T10:05:00Z,b.example,quic,6,7", "2026-03-01T10:00:00Z,a.example,gopher,1,1"]
    lines = ["time,domain,class,requests,bytes", *rows, rows[0], *wrong]
    usage.write_text("".join(f"{line}\n" for line in lines))
    command = importing(home, usage, "--format", "counts", "--evidence", out, "--allow-refused")
    assert run(capsys, *command)[0] == 0
    (one,) = json.loads(out.read_text())["files"]
    assert (one["format"], one["lines"], one["events"]) == ("counts", 5, 2)
    assert one["refused"] == {"conflict": 1, "scheme": 1}
    assert one["totals"] == [
        {"domain": "a.example", "class": "https", "requests": 10, "bytes_sent": 1000},
        {"domain": "b.example", "class": "quic", "requests": 5, "bytes_sent": 7},
    ]
    assert (one["first_time"], one["last_time"]) == ("2026-03-01T10:00:00Z", "2026-03-01T10:05:00Z")
    assert verified(capsys, out) == []
    usage.write_text(usage.read_text().replace(",1000", ",1001"))
    assert "totals by domain and class differ" in verified(capsys, out)


def test_sums_that_64_bits_do_not_bear_are_exact() -> None:
    """A line may claim 2^50 bytes: a block of them, and many blocks, sum to more than a machine's
    word holds.
    """
    tally, count = FileTally(), 20_000
    for block in range(3):
        columns = EventColumns(
            domains=(f"{block}.example", "unused.example", "a.example"),
            domain_index=np.where(np.arange(count) % 2 == 0, 2, 0).astype(np.int32),
            time_ms=np.arange(count) + block,
            carrier=np.ones(count, dtype=np.uint8),
            status=np.full(count, 200, dtype=np.uint16),
            cache=np.zeros(count, dtype=np.uint8),
            bytes_sent=np.full(count, BYTES_SENT_MAX - block),
        )
        position = StreamPosition(head="x")
        tally.take(
            Step(columns=columns, position=position, rejected=(), notes=(), unattributable=0)
        )
    half = count // 2
    sizes = [half * (BYTES_SENT_MAX - block) for block in range(3)]
    assert tally.document()["totals"] == [
        {"domain": name, "class": "https", "requests": requests, "bytes_sent": size}
        for name, requests, size in (
            *((f"{block}.example", half, sizes[block]) for block in range(3)),
            ("a.example", 3 * half, sum(sizes)),
        )
    ]
