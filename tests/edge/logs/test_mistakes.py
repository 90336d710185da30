"""Mistakes people make with logs: the wrong format first, a byte order mark, a promise too far."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from edge.errors import InputError
from edge.logs.followed import Log
from edge.logs.formats.shipped import FORMATS, find_format
from edge.logs.refused_lines import RejectedLines
from edge.logs.streams import Writer
from edge.logs.tail import Cycle, Tailer
from edge.terminal import parse_time
from tests.edge.logs.reading import NOW_MS, import_files, nginx_lines, open_spool, spool_content
from tests.edge.logs.samples import SAMPLES, Sample

MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("wrong", ["nginx-tsv", "cloudfront", "elb", "fastly", "traefik", "squid"])
def test_a_file_read_in_the_wrong_format_counts_when_it_is_read_in_the_right_one(
    wrong: str, tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    log.write_text(nginx_lines(0, 300))
    first = import_files(tmp_path / "spool", log, form=wrong)
    assert (first.events, sum(first.skipped.values())) == (0, 300)
    assert f"no line of 300 could be read as {wrong}; it looks like nginx" in first.notes[0]
    second = import_files(tmp_path / "spool", log)
    assert (second.lines, second.events, dict(second.skipped)) == (300, 300, {})
    third = import_files(tmp_path / "spool", log)
    assert (third.events, third.duplicates) == (0, 300)
    assert import_files(tmp_path / "spool", log, form=wrong).duplicates == 300
    assert spool_content(tmp_path / "spool").events == 300


def test_a_shorter_and_a_zipped_copy_of_a_misread_file_count_once(tmp_path: Path) -> None:
    whole, part, zipped = (tmp_path / name for name in ("a", "b", "c"))
    whole.write_text(nginx_lines(0, 3000))
    part.write_text(nginx_lines(0, 1000))
    zipped.write_bytes(gzip.compress(nginx_lines(0, 3000).encode()))
    import_files(tmp_path / "spool", whole, form="caddy")
    assert import_files(tmp_path / "spool", part).events == 1000
    result = import_files(tmp_path / "spool", zipped, whole)
    assert (result.events, result.duplicates) == (2000, 4000)
    assert spool_content(tmp_path / "spool").events == 3000


def test_a_mapping_that_was_corrected_under_its_name_is_another_format(tmp_path: Path) -> None:
    log, mapping = tmp_path / "a.log", tmp_path / "own.toml"
    log.write_text(nginx_lines(0, 50))
    text = (
        'time = { field = "time", unit = "s" }\nhost = "host"\nscheme = { field = "scheme" }\n'
        'status = "status"\nbytes = "size"\n'
    )
    mapping.write_text(text)
    assert import_files(tmp_path / "spool", log, form=find_format(str(mapping))).events == 0
    again = import_files(tmp_path / "spool", log, form=find_format(str(mapping)))
    assert again.skipped == {"refused_before": 50}
    mapping.write_text(text.replace("size", "bytes_sent"))
    assert import_files(tmp_path / "spool", log, form=find_format(str(mapping))).events == 50


def two_cycles(folder: Path, log: Path, form: str) -> tuple[Cycle, Cycle]:
    """What a fresh agent with `form` finds in its first two looks."""
    with open_spool(folder) as spool:
        writer = Writer(spool, RejectedLines(folder))
        logs = [Log(path=log, form=FORMATS[form])]
        tailer = Tailer(writer, spool.positions(), logs, now_ms=lambda: 2 * NOW_MS)
        tailer.begin("beginning")
        return tailer.cycle(), tailer.cycle()


def test_an_agent_set_to_the_right_format_reads_what_it_misread_archives_too(
    tmp_path: Path,
) -> None:
    log = tmp_path / "access.log"
    log.write_text(nginx_lines(100, 200))
    archive = log.with_name("access.log.2.gz")
    archive.write_bytes(gzip.compress(nginx_lines(0, 100).encode()))
    wrong, _ = two_cycles(tmp_path / "spool", log, "nginx-tsv")
    assert wrong.events == 0
    assert ["could be read as nginx-tsv" in note for note in wrong.notes] == [True] * 2
    right, idle = two_cycles(tmp_path / "spool", log, "nginx")
    assert (right.events, idle.events) == (200, 0)
    assert two_cycles(tmp_path / "spool", log, "nginx")[0].events == 0


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_a_byte_order_mark_and_windows_line_ends_change_no_event(
    sample: Sample, tmp_path: Path
) -> None:
    plain = sample.text.encode()
    parsed = {}
    for name, data in (
        ("plain", plain),
        ("mark", MARK + plain),
        ("windows", plain.replace(b"\n", b"\r\n")),
        ("both", MARK + plain.replace(b"\n", b"\r\n")),
    ):
        log = tmp_path / name
        log.write_bytes(data)
        result = import_files(tmp_path / f"spool-{name}", log, form=sample.format)
        found = spool_content(tmp_path / f"spool-{name}")
        parsed[name] = (result.lines, result.events, result.skipped, found)
        assert import_files(tmp_path / f"spool-{name}", log, form=sample.format).events == 0
    assert parsed["mark"] == parsed["plain"] == parsed["windows"] == parsed["both"]


@pytest.mark.parametrize(
    "text", ["2026-12-01", "2026-12-01T00:00Z", "2026-12-01t02:00:00+02:00", " 2026-12-01 00:00z "]
)
def test_a_time_may_be_a_date_or_have_any_zone_and_case(text: str) -> None:
    assert parse_time(text).isoformat() == "2026-12-01T00:00:00+00:00"


@pytest.mark.parametrize("text", ["", "now", "1796083200", "9999-12-31T23:00:00-05:00"])
def test_what_is_no_time_is_one_clear_error(text: str) -> None:
    with pytest.raises(InputError, match="is not a time"):
        parse_time(text)


@pytest.mark.parametrize("form", ["nginx", "nginx-tsv"])
def test_a_dash_for_bytes_is_none_and_an_empty_host_names_nobody(form: str) -> None:
    separator = {"nginx": None, "nginx-tsv": "\t"}[form]
    values = ["1700000000.5", "", "https", "HTTP/1.1", "204", "-", "-", "x"]
    names = ["time", "host", "scheme", "protocol", "status", "bytes_sent", "cache", "id"]
    line = (
        separator.join(values)
        if separator
        else "{"
        + ",".join(f'"{name}":"{value}"' for name, value in zip(names, values, strict=True))
        + "}"
    )
    parsed = FORMATS[form].make().parse(line.encode() + b"\n", NOW_MS)
    assert (parsed.columns.bytes_sent.tolist(), parsed.columns.domains) == ([0], ("",))
    assert parsed.unattributable == 1


def test_a_zip_is_named_and_nothing_is_read(tmp_path: Path) -> None:
    log = tmp_path / "a.log.packed"
    log.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(InputError, match=r"a\.log\.packed is compressed with zip"):
        import_files(tmp_path / "spool", log)


def test_a_pipe_is_refused_without_waiting_for_its_other_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is no plain file"):
        import_files(tmp_path / "spool", tmp_path / "pipe")


def test_two_small_archives_of_one_size_that_begin_alike_are_both_read(tmp_path: Path) -> None:
    """Both fit before the first window: only their lines tell them apart."""
    log = tmp_path / "a.log"
    log.touch()
    lines = "1789999000.{}\ta.example\thttps\tHTTP/2.0\t200\t7\tHIT\tx\n"
    for number, second in enumerate((2, 3), 1):
        data = (lines.format(1) + lines.format(second)).encode()
        (tmp_path / f"a.log.{number}.gz").write_bytes(gzip.compress(data))
        with open_spool(tmp_path / "spool") as spool:
            writer = Writer(spool, RejectedLines(tmp_path / "spool"))
            logs = [Log(path=log, form=FORMATS["nginx-tsv"])]
            tailer = Tailer(writer, spool.positions(), logs, now_ms=lambda: NOW_MS)
            tailer.begin("beginning")
            tailer.cycle()
    assert spool_content(tmp_path / "spool").events == 4
