"""`edge import` says what it did not read, and promises nothing then (E3, E8, E10 to E12)."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import random
import tarfile
from pathlib import Path

import pytest

from edge.logs.foreign import what_it_is
from edge.logs.refused_lines import RejectedLine, RejectedLines
from edge.reasons import Reason
from tests.edge.agent.test_commands import REAL, home, importing, run
from tests.edge.logs.reading import nginx_line, nginx_lines, spool_content
from tests.effort import THOROUGH

__all__ = ["home"]


def tar(content: bytes) -> bytes:
    """An archive of two logs."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in ("a.log", "b.log"):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


PROMISE = ("--through", "2026-12-01")
COMBINED = (
    b'192.0.2.1 - - [30/Nov/2026:04:20:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8.5.0"\n' * 20
)
AS_JSON = json.loads(nginx_line(1))
FOREIGN = {
    "combined": (COMBINED, "--format combined --scheme http|https --host NAME"),
    "common": (
        b'a.b - bob [1/Jan/2026:04:20:00 +0000] "GET / HTTP/1.1" 200 6\n' * 9,
        "--format common --scheme http|https --host NAME",
    ),
    "vhost_combined": (
        b"".join(b"www.example.com:443 " + line for line in COMBINED.splitlines(keepends=True)),
        "--format vhost-combined --scheme http|https",
    ),
    "utf-16": (nginx_lines(0, 9).encode("utf-16"), "UTF-16"),
    "utf-16 without a mark": (nginx_lines(0, 9).encode("utf-16-le"), "UTF-16"),
    "utf-16, the other way": (nginx_lines(0, 9).encode("utf-16-be"), "UTF-16"),
    "utf-32": (nginx_lines(0, 9).encode("utf-32"), "UTF-32"),
    "error log": (b"2026/11/30 04:20:00 [error] 7#7: *1 open() failed\n" * 5, "error log"),
    "html": (b"<!doctype html>\n<p>not found</p>\n", "HTML"),
    "json behind syslog": (
        b"".join(b"<190>Oct 26 10:00:00 e1 n: %s\n" % nginx_line(n).encode() for n in range(9)),
        "after_prefix",
    ),
    "json of a container, CRI": (
        b"".join(b"2026-10-26T10:00:00Z stdout F %s\n" % nginx_line(n).encode() for n in range(9)),
        "after_prefix",
    ),
    "json of a container, docker": (
        b"".join(b"%s\n" % json.dumps({"log": nginx_line(n)}).encode() for n in range(9)),
        "jq -j .log",
    ),
    "csv": (b"time,host,scheme,status,bytes\n1,a.example,https,200,7\n" * 4, "CSV"),
    "binary": (random.Random(1).randbytes(200_000), "no text"),
    "binary without a line end": (bytes(range(11, 32)) * 300, "no text"),
    "packed twice": (gzip.compress(gzip.compress(nginx_lines(0, 99).encode())), "packed twice"),
    "lines of another system": (nginx_lines(0, 9).replace("\n", "\r").encode(), "tr '"),
    "an ELF program": (b"\x7fELF" + bytes(64) + os.urandom(5000), "no text"),
}


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        *(("nginx", kind) for kind in FOREIGN),
        *(("nginx-tsv", kind) for kind in list(FOREIGN)[:: 1 if THOROUGH else 4]),
    ],
)
def test_e3_a_file_that_is_no_such_log_fails_is_named_and_promises_nothing(
    kind: str, form: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, words = FOREIGN[kind]
    log = home / "a.log"
    log.write_bytes(data)
    command = [form if word == "nginx" else word for word in importing(home, log)]
    code, out, err = run(capsys, *command, *PROMISE, "--json")
    result = json.loads(out)
    assert (code, result["events"]) == (1, 0)
    assert "no promise was made" in err
    assert words in " ".join(result["not_understood"])
    assert spool_content(home / "spool" / "e1").watermark_ms == 0
    if form == "nginx":
        code, _, err = run(capsys, *command, *PROMISE)
        assert (code, "no promise was made" in err) == (1, True), "the second time too"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tar(nginx_lines(0, 99).encode()), "is a tar archive"),
        (gzip.compress(tar(nginx_lines(0, 99).encode())), "is a tar archive"),
        (b"7z\xbc\xaf'\x1c" + bytes(99), "compressed with 7-Zip"),
        (b"\x1f\x9d\x90" + bytes(99), "compressed with compress"),
    ],
)
def test_e3_an_archive_is_named_and_nothing_of_it_is_taken_for_lines(
    data: bytes, words: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_bytes(data)
    code, _, err = run(capsys, *importing(home, log), *PROMISE)
    assert (code, words in err, (home / "spool" / "e1").exists()) == (1, True, False)


def test_e3_many_files_that_are_none_are_told_in_a_line_that_can_be_read(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = [home / f"{number}.log" for number in range(40)]
    for log in logs:
        log.write_bytes(b"<!doctype html>\n<p>not found</p>\n" + log.name.encode())
    code, _, err = run(capsys, *importing(home, *logs), *PROMISE)
    (error,) = [line for line in err.splitlines() if line.startswith("edgetoll: ")]
    assert (code, "and 35 files more" in error, len(error) < 600) == (1, True, True)


@pytest.mark.parametrize("kind", ["utf-16", "binary", "json behind syslog"])
def test_e3_a_guess_that_fails_says_what_the_file_is(
    kind: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, words = FOREIGN[kind]
    log = home / "a.log"
    log.write_bytes(data)
    command = ["auto" if word == "nginx" else word for word in importing(home, log)]
    code, _, err = run(capsys, *command, *PROMISE)
    assert (code, words in err) == (1, True)


def test_e3_an_empty_log_is_in_the_format_of_the_others(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = home / "empty.log"
    empty.write_bytes(b"\n")
    command = ["auto" if word == "nginx" else word for word in importing(home, REAL)]
    code, out, _ = run(capsys, *command, empty, "--json")
    assert (code, json.loads(out)["events"]) == (0, 56)
    code, _, err = run(capsys, *(empty if word == REAL else word for word in command))
    assert (code, "no line to tell a format by" in err) == (1, True)


def archived(form: int) -> bytes:
    """A tar of two logs, in one of its forms."""
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w", format=form) as tar:
        for number in (0, 1):
            data = nginx_lines(50 * number, 50 * number + 50).encode()
            about = tarfile.TarInfo(f"access-{number}.log")
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
    return found.getvalue()


def of_seventh_edition(tar: bytes) -> bytes:
    """The same with heads as tar wrote them first: no name of the form, a checksum all the same."""
    head = bytearray(tar[:512])
    head[257:265] = bytes(8)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + tar[512:]


ARCHIVES = {
    "ustar": archived(tarfile.USTAR_FORMAT),
    "pax": archived(tarfile.PAX_FORMAT),
    "gnu": archived(tarfile.GNU_FORMAT),
    "of the seventh edition": of_seventh_edition(archived(tarfile.USTAR_FORMAT)),
    "gzip": gzip.compress(archived(tarfile.GNU_FORMAT)),
    "xz": lzma.compress(archived(tarfile.GNU_FORMAT)),
    "ar": b"!<arch>\na.log/          0           0     0     644     9         `\n" + COMBINED,
    "cpio": b"070701" + b"0" * 104 + b"a.log\0\0" + nginx_lines(0, 20).encode(),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_e3_an_archive_is_no_log_though_the_lines_of_its_files_could_be_read(
    kind: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All but the first line of each file, which stands behind what the archive says of it."""
    log = home / "a.log"
    log.write_bytes(ARCHIVES[kind])
    code, _, err = run(capsys, *importing(home, log), *PROMISE)
    assert (code, "which is not read" in err, "take its files out" in err) == (1, True, True)
    assert not (home / "spool").exists()


@pytest.mark.parametrize("wrong", ["nginx-tsv", "cloudfront", "elb", "fastly", "traefik", "bunny"])
def test_e3_the_wrong_format_promises_nothing_and_the_right_one_adds_all(
    wrong: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = importing(home, REAL)
    code, _, err = run(capsys, *(wrong if word == "nginx" else word for word in command), *PROMISE)
    assert (code, "looks like nginx" in err, "no promise" in err) == (1, True, True)
    code, out, _ = run(capsys, *command, *PROMISE, "--json")
    assert (code, json.loads(out)["events"]) == (0, 56)
    assert spool_content(home / "spool" / "e1").watermark_ms == 1_796_083_200_000


@pytest.mark.parametrize(("bad", "expected"), [(0, 0), (1, 0), (9, 0), (10, 1), (11, 1), (99, 1)])
def test_e3_a_tenth_of_the_lines_is_too_many(
    bad: int, expected: int, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 100 - bad) + "{broken\n" * bad)
    for _ in range(2):
        code, out, _ = run(capsys, *importing(home, log), *PROMISE, "--json")
        assert code == expected
        assert bool(json.loads(out)["not_understood"]) == bool(expected)
    assert bool(spool_content(home / "spool" / "e1").watermark_ms) != bool(expected)


def test_e3_a_bad_file_among_many_good_ones_fails_too(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = home / "good.log", home / "bad.log"
    good.write_text(nginx_lines(0, 5000))
    bad.write_bytes(COMBINED)
    code, _, err = run(capsys, *importing(home, good, bad), *PROMISE)
    assert (code, "bad.log" in err) == (1, True)
    assert spool_content(home / "spool" / "e1").watermark_ms == 0


def test_e3_whoever_knows_better_may_take_the_refused_lines_as_they_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 5) + "{broken\n" * 5)
    code, out, _ = run(capsys, *importing(home, log), *PROMISE, "--allow-refused", "--json")
    assert (code, json.loads(out)["skipped"]) == (0, {"syntax": 5})
    assert spool_content(home / "spool" / "e1").watermark_ms == 1_796_083_200_000


@pytest.mark.parametrize("lines", ["", "\n\n", " \n"])
def test_e3_an_empty_log_is_nothing_that_was_not_read(
    lines: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(lines)
    assert run(capsys, *importing(home, log), *PROMISE)[0] == 0


@pytest.mark.parametrize(
    "before", [b"\n" * 70_000, b" \t\n" * 30_000, b"\t" * 70_000 + b"\n", b"# words\n" * 9_000,
               b"# " + b"x" * 70_000 + b"\n", b"\r\n" * 40_000 + b"#\n"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["nginx", "nginx-tsv"])
def test_e3_what_stands_behind_much_that_is_nothing_is_read(
    before: bytes, form: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was taken for an empty log, whose hours closed as complete."""
    log = home / "a.log"
    lines = doubled(form, 20).splitlines(keepends=True)[:20]
    log.write_bytes(before + b"".join(lines))
    command = [form if word == "nginx" else word for word in importing(home, log)]
    for events, duplicates in ((20, 0), (0, 20)):
        _, out, _ = run(capsys, *command, "--json")
        assert (json.loads(out)["events"], json.loads(out)["duplicates"]) == (events, duplicates)


def test_e3_lines_that_are_no_requests_are_no_reason_to_fail_beside_one_that_is(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    debug = b'{"level":"debug","ts":1789999000.8,"logger":"http.handlers","msg":"up"}\n'
    access = (
        b'{"ts":1789999000.7,"logger":"http.log.access","request":{"proto":"HTTP/1.1","host":'
        b'"a.example"},"size":5,"status":200}\n'
    )
    log = home / "a.log"
    command = ["caddy" if word == "nginx" else word for word in importing(home, log)]
    log.write_bytes(debug * 50 + access)
    assert run(capsys, *command)[0] == 0
    log.write_bytes(debug.replace(b"up", b"down") * 50)
    code, _, err = run(capsys, *command)
    assert (code, "no line of 50" in err) == (1, True)


def test_e3_each_reason_has_one_example_with_what_was_wrong(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def line(**fields: object) -> str:
        return json.dumps({k: v for k, v in {**AS_JSON, **fields}.items() if v is not ...}) + "\n"

    bad = [
        line(host=..., bytes_sent=...),
        line(host=...),
        line(time="yesterday"),
        line(time="1789999000123"),
        line(scheme="ftp"),
        line(status="2xx"),
        line(bytes_sent="-5"),
        "{broken \x1b[31m\n",
    ]
    log = home / "a.log"
    log.write_text(nginx_lines(0, 2) + "".join(bad))
    _, out, _ = run(capsys, *importing(home, log), "--json")
    examples = json.loads(out)["examples"]
    assert {reason: text.split(": «")[0] for reason, text in examples.items()} == {
        "schema": "a.log, line 3: schema: no host, no bytes_sent",
        "clock": "a.log, line 5: clock: time «yesterday» cannot be read",
        "scheme": "a.log, line 7: scheme: scheme «ftp» is none of http, ws, grpc, h2c, https, wss,"
        " grpcs, h2, h3, quic",
        "status": "a.log, line 8: status: status «2xx» is no number from 0 to 999",
        "bytes": "a.log, line 9: bytes: bytes_sent «-5» is no number from 0 to 2^50",
        "syntax": "a.log, line 10: syntax: no JSON object",
    }
    assert "\x1b" not in out
    assert "\\x1b[31m" in examples["syntax"]
    kept = (home / "spool" / "e1" / "rejected" / "lines.jsonl").read_text().splitlines()
    assert json.loads(kept[0])["detail"] == "no host, no bytes_sent"


def test_e3_a_time_in_another_unit_is_told_as_what_it_would_be(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_line(1).replace('"time":"1789999000.124"', '"time":"1789999000124"'))
    _, out, _ = run(capsys, *importing(home, log), "--json")
    assert "beyond the year 9999: is its unit right?" in json.loads(out)["examples"]["clock"]


@pytest.mark.parametrize(
    ("data", "words"),
    [(b'[{"a": 1}, {"b": 2}]', "JSON array"), (b'{\n "a": 1\n}\n', "over several lines")],
)
def test_e3_json_documents_are_named_where_a_text_format_met_them(data: bytes, words: str) -> None:
    assert words in str(what_it_is(data))


@pytest.mark.parametrize("data", [b"", b"\n", b"a", b"{}", b"#Version: 1.0\n", b"\xb0\xed\xbc"])
def test_e3_what_a_file_is_may_be_asked_of_any_bytes(data: bytes) -> None:
    assert what_it_is(data) is None or isinstance(what_it_is(data), str)


@pytest.mark.parametrize("nuls", [1, 4096, 5000, 70_000, 3_000_000, 20_000_000])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("zipped", [False, True])
def test_e8_nuls_in_front_of_a_record_are_passed_over_and_told(
    nuls: int, sparse: bool, zipped: bool, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What copytruncate leaves under a server that writes on at its old place."""
    log = home / "a.log"
    if sparse and not zipped:
        with open(log, "wb") as file:
            file.seek(nuls)
            file.write(nginx_lines(0, 30).encode())
    else:
        data = bytes(nuls) + nginx_lines(0, 30).encode()
        log.write_bytes(gzip.compress(data, 1) if zipped else data)
    code, out, _ = run(capsys, *importing(home, log), "--json")
    result = json.loads(out)
    assert (code, result["events"], result["skipped"], result["nul_bytes"]) == (0, 30, {}, nuls)
    assert any("NUL bytes passed over" in note for note in result["notes"])
    code, out, _ = run(capsys, *importing(home, log), "--json")
    assert (code, json.loads(out)["events"], json.loads(out)["duplicates"]) == (0, 0, 30)


def test_e8_holes_may_stand_before_behind_and_between_records(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    line = [nginx_line(n).encode() for n in range(40)]
    parts = [line[0], bytes(9), line[1], line[2][:-1], bytes(7), b"\n", bytes(5), b"\n", *line[3:]]
    log.write_bytes(b"".join(parts) + bytes(11))
    code, out, _ = run(capsys, *importing(home, log), "--json")
    result = json.loads(out)
    assert (code, result["events"], result["nul_bytes"]) == (0, 40, 9 + 7 + 5 + 11)


@pytest.mark.parametrize("nuls", [10, 5000, 18_000_000])
def test_e8_the_kept_line_holds_the_record_and_not_the_nuls(
    nuls: int, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_bytes(bytes(nuls) + b"{broken\n" + nginx_lines(0, 30).encode())
    run(capsys, *importing(home, log))
    kept = json.loads((home / "spool" / "e1" / "rejected" / "lines.jsonl").read_bytes())
    assert (kept["raw"], kept["reason"]) == ("{broken", "syntax")


def doubled(form: str, count: int) -> bytes:
    """A log that holds each of `count` requests twice, in turns of 300 lines."""
    lines = nginx_lines(0, count).encode().splitlines(keepends=True)
    if form == "nginx-tsv":
        lines = [b"\t".join(json_values(line)) + b"\n" for line in lines]
    turns = [lines[start : start + 300] for start in range(0, count, 300)]
    return b"".join(line for turn in turns for line in (*turn, *turn))


def json_values(line: bytes) -> list[bytes]:
    """The values of a JSON line, in order."""
    return [str(value).encode() for value in json.loads(line).values()]


@pytest.mark.parametrize("form", ["nginx", "nginx-tsv"])
@pytest.mark.parametrize("count", [10, 300, 9_000])
def test_e10_requests_that_are_logged_twice_are_told_and_dropped_on_demand(
    form: str, count: int, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_bytes(doubled(form, count))
    command = [form if word == "nginx" else word for word in importing(home, log)]
    _, out, _ = run(capsys, *command, "--json")
    told = json.loads(out)
    assert told["events"] == 2 * count
    assert told["repeated_ids"] >= count * 9 // 10, "some pairs may lie in two blocks"
    assert any("log each request twice" in note for note in told["notes"])
    other = ["e2" if word == "e1" else word for word in command]
    code, out, _ = run(capsys, *other, "--drop-repeated", "--json")
    dropped = json.loads(out)
    assert (code, dropped["events"], dropped["skipped"]) == (0, count, {"repeated_id": count})
    assert len(set(spool_content(home / "spool" / "e2").times)) == count


@pytest.mark.parametrize("no_id", ["", "-"])
def test_e10_lines_without_an_id_repeat_nothing(
    no_id: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text("".join(nginx_line(n).replace(f"{n:032x}", no_id) for n in range(50)))
    _, out, _ = run(capsys, *importing(home, log), "--drop-repeated", "--json")
    assert (json.loads(out)["events"], json.loads(out)["repeated_ids"]) == (50, 0)


def test_e10_an_import_that_is_continued_knows_the_ids_before(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 100))
    run(capsys, *importing(home, log), "--drop-repeated")
    log.write_text(nginx_lines(0, 100) + nginx_lines(90, 110))
    _, out, _ = run(capsys, *importing(home, log), "--drop-repeated", "--json")
    assert (json.loads(out)["events"], json.loads(out)["repeated_ids"]) == (10, 10)


@pytest.mark.parametrize("count", [20, 3_000])
@pytest.mark.parametrize("turned", [False, True])
def test_e10_requests_that_are_logged_to_two_files_are_told_and_dropped_on_demand(
    count: int, turned: bool, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server and one of its virtual hosts, say, each with an access_log of its own."""
    lines = [nginx_line(n).replace('"HIT"', '"MISS"') for n in range(count)]
    one, other = home / "a.log", home / "b.log"
    one.write_text(nginx_lines(0, count))
    other.write_text("".join(reversed(lines) if turned else lines))
    _, out, _ = run(capsys, *importing(home, one, other), "--json")
    told = json.loads(out)
    assert told["events"] == 2 * count
    least = 20 if turned else min(count, 1_000)  # else every 64th of them tells
    assert least <= told["repeated_ids"] <= count
    assert any("b.log: at least" in note and "in a.log too" in note for note in told["notes"])
    others = ["e2" if word == "e1" else word for word in importing(home, one, other)]
    _, out, _ = run(capsys, *others, "--drop-repeated", "--json")
    dropped = json.loads(out)
    assert (dropped["events"], dropped["skipped"]) == (count, {"repeated_id": count})
    assert dropped["not_understood"] == []


def test_e10_files_that_share_nothing_and_the_same_file_again_are_no_two_logs_of_one(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other, copy = home / "a.log", home / "b.log", home / "c.log"
    one.write_text(nginx_lines(0, 100))
    other.write_text(nginx_lines(100, 200) + nginx_line(300).replace(f"{300:032x}", "-"))
    copy.write_text(nginx_lines(0, 100))
    _, out, _ = run(capsys, *importing(home, one, other, copy), "--json")
    told = json.loads(out)
    assert (told["events"], told["duplicates"], told["repeated_ids"]) == (201, 100, 0)
    assert told["notes"] == []


def test_e10_a_log_that_was_edited_after_it_was_read_is_told(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its lines cannot be told from new ones: somebody must know that they are counted again."""
    log = home / "a.log"
    log.write_text(nginx_lines(0, 50))
    run(capsys, *importing(home, log))
    log.write_text(nginx_lines(0, 20) + nginx_lines(21, 60))
    _, out, _ = run(capsys, *importing(home, log), "--json")
    assert json.loads(out)["events"] == 59
    assert "was it edited?" in " ".join(json.loads(out)["notes"])
    log.write_text(nginx_lines(0, 20) + nginx_lines(21, 70))
    _, out, _ = run(capsys, *importing(home, log), "--json")
    assert (json.loads(out)["events"], json.loads(out)["notes"]) == (10, []), "it has only grown"


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("letter", [b"x", b"\xff", b"{"])
def test_e11_a_huge_last_line_without_an_end_is_told(
    letter: bytes, zipped: bool, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    data = nginx_lines(0, 30).encode() + letter * 20_000_000
    log.write_bytes(gzip.compress(data, 1) if zipped else data)
    code, out, err = run(capsys, *importing(home, log), *PROMISE, "--json")
    assert (code, json.loads(out)["events"]) == (1, 30)
    assert json.loads(out)["skipped"] == {"unterminated": 1}
    assert "the last 20,000,000 bytes have no line end" in err
    assert spool_content(home / "spool" / "e1").watermark_ms == 0


def test_e11_a_bomb_of_nuls_alone_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = home / "a.log.gz"
    log.write_bytes(gzip.compress(bytes(50_000_000), 1))
    code, out, _ = run(capsys, *importing(home, log), *PROMISE, "--json")
    assert code == 1
    assert json.loads(out)["nul_bytes"] == 50_000_000


def test_e11_the_folder_of_refused_lines_never_exceeds_its_bound(tmp_path: Path) -> None:
    """Control characters take six bytes each as they are kept."""
    rejected = RejectedLines(tmp_path, file_bytes_max=200_000)
    rows = tuple(
        RejectedLine(
            source="s",
            name="a.log",
            line=number,
            offset=0,
            length=9_000,
            reason=Reason.SYNTAX,
            raw=b"\x01" * 9_000,
        )
        for number in range(300)
    )
    for _ in range(3):
        rejected.keep(rows)
        sizes = [path.stat().st_size for path in rejected.folder.glob("*.jsonl")]
        assert all(size <= 200_000 for size in sizes)
    assert rejected.counts() == {"syntax": 900}
    last = (rejected.folder / "lines.jsonl").read_bytes().splitlines()[-1]
    assert json.loads(last)["line"] == 299


@pytest.mark.parametrize("name", ["missing.log", "folder"])
def test_e12_an_import_of_nothing_leaves_no_edge_behind(
    name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "folder").mkdir()
    assert run(capsys, *importing(home, home / name))[0] == 1
    assert not (home / "spool").exists()


def test_e12_another_region_changes_nothing_where_nothing_is_added(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = home / "a.log"
    log.write_text(nginx_lines(0, 10))
    run(capsys, *importing(home, log))
    elsewhere = ["FR" if word == "DE" else word for word in importing(home, log)]
    _, out, _ = run(capsys, *elsewhere, *PROMISE, "--json")
    assert "stays in region DE" in " ".join(json.loads(out)["notes"])
    assert region(home, capsys) == "DE"
    log.write_text(nginx_lines(0, 12))
    _, out, _ = run(capsys, *elsewhere, "--json")
    assert "was in region DE; these events are from FR" in " ".join(json.loads(out)["notes"])
    assert region(home, capsys) == "FR"


def region(home: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The region of edge e1 as its status has it."""
    _, out, _ = run(capsys, "status", "--home", home, "--json")
    (edge,) = json.loads(out)["edges"]
    return str(edge["region"])
