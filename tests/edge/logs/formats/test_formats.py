"""Each log format gives exactly the events its lines stand for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.event import CACHES, CLASSES
from edge.logs.formats.block import Parsed
from edge.logs.formats.shipped import FORMATS
from tests.edge.logs.reading import NOW_MS, import_files, spool_content
from tests.edge.logs.samples import SAMPLES, Sample

REAL_LOGS = Path(__file__).resolve().parents[5] / "shared" / "data" / "logs"
TRUTH = {
    "cloudfront/rust-lang__cloudfront__basic.log": ("cloudfront", 20, 20, 0, 2_073_512),
    "cloudfront/rust-lang__percent-encoding.log": ("cloudfront", 3, 3, 0, 2_212_647),
    "cloudfront/rust-lang__unrelated-traffic.log": ("cloudfront", 5, 5, 0, 1_070_910),
    "cloudfront/rust-lang__unknown-version.log": ("cloudfront", 1, 1, 0, 214_182),
    "cloudfront/rust-lang__recoverable-errors.log": ("cloudfront", 0, 0, 0, 0),
    "fastly_syslog/rust-lang__fastly__basic.log": ("fastly", 23, 23, 0, 10_587_640),
    "fastly_syslog/rust-lang__percent-encoding.log": ("fastly", 2, 2, 0, 1_761_328),
    "elb_classic/ozantunca__elb-log-analyzer__AWSLogs.log": ("elb", 668, 58, 610, 45_404_561),
    "traefik_json/crowdsecurity__hub__traefik_base-http-scenario.log": (
        "traefik",
        80,
        0,
        80,
        28_611,
    ),
    "caddy_json/crowdsecurity__hub__caddy-logs__caddy-logs.log": ("caddy", 10, 0, 10, 18_630),
}
"""Requests, https, http and bytes of real logs, as the folder's README has them."""


def told(parsed: Parsed) -> list[tuple[int, str, str, int, int, str | None]]:
    """The events of `parsed`, one tuple each."""
    columns = parsed.columns
    found = (
        columns.time_ms.tolist(),
        [columns.domains[each] for each in columns.domain_index.tolist()],
        [CLASSES[each] for each in columns.class_code.tolist()],
        columns.status.tolist(),
        columns.bytes_sent.tolist(),
        [CACHES[each] for each in columns.cache.tolist()],
    )
    return list(zip(*found, strict=True))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_a_sample_of_each_format_gives_its_events(sample: Sample) -> None:
    parsed = FORMATS[sample.format].make().parse(sample.text.encode(), NOW_MS)
    assert told(parsed) == list(sample.events)
    assert tuple(refused.reason for refused in parsed.refused) == sample.refused


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_one_bad_line_among_good_ones_changes_none_of_them(sample: Sample) -> None:
    """The block is read line by line then; the answer must be the columnar one."""
    bad = b'\x01{"not": a line\n'
    parsed = FORMATS[sample.format].make().parse(sample.text.encode() + bad, NOW_MS)
    assert told(parsed) == list(sample.events)
    assert len(parsed.refused) == len(sample.refused) + 1
    assert parsed.refused[-1].row == sample.text.count("\n")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_rows_name_the_line_of_each_event(sample: Sample) -> None:
    lines = sample.text.encode().splitlines(keepends=True)
    parsed = FORMATS[sample.format].make().parse(sample.text.encode(), NOW_MS)
    directives = b"".join(line for line in lines if line.startswith(b"#"))
    assert parsed.lines == sum(1 for line in lines if line.strip() and not line.startswith(b"#"))
    for event, row in enumerate(parsed.rows.tolist()):
        parser = FORMATS[sample.format].make()
        before = [line for line in lines[:row] if line.startswith(b"#")]
        parser.recall(before)
        assert told(parser.parse(lines[row], NOW_MS)) == [sample.events[event]], directives


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_a_block_without_lines_has_no_events(sample: Sample) -> None:
    for nothing in (b"", b"\n", b"\n\n  \n"):
        parsed = FORMATS[sample.format].make().parse(nothing, NOW_MS)
        assert len(parsed.columns) == parsed.lines == 0


@pytest.mark.needs_real_logs
def test_every_real_log_has_its_totals_here() -> None:
    assert {str(path.relative_to(REAL_LOGS)) for path in REAL_LOGS.glob("*/*.log")} == set(TRUTH)


@pytest.mark.needs_real_logs
@pytest.mark.parametrize("name", sorted(TRUTH))
def test_real_logs_give_exactly_the_totals_of_their_readme(name: str, tmp_path: Path) -> None:
    form, requests, https, http, size = TRUTH[name]
    result = import_files(tmp_path / "spool", REAL_LOGS / name, form=form)
    content = spool_content(tmp_path / "spool")
    assert result.events == content.events == requests
    assert (content.classes["https"], content.classes["http"]) == (https, http)
    assert content.bytes_sent == size
    assert result.lines == result.events + sum(result.skipped.values())


def test_the_log_a_real_nginx_wrote_counts_the_same_as_json_and_as_tsv(tmp_path: Path) -> None:
    """Both formats were written by one nginx for the same requests (deploy/nginx)."""
    logs = Path(__file__).resolve().parents[4] / "examples" / "logs"
    as_json = import_files(tmp_path / "json", logs / "nginx-real.log", now_ms=1_800_000_000_000)
    as_tsv = import_files(
        tmp_path / "tsv", logs / "nginx-real.tsv", form="nginx-tsv", now_ms=1_800_000_000_000
    )
    assert as_json.events == as_tsv.events == 56
    assert spool_content(tmp_path / "json") == spool_content(tmp_path / "tsv")
    classes = spool_content(tmp_path / "json").classes
    assert classes == {"https": 37, "http": 19}


def test_an_unknown_cloudfront_version_is_named_and_read_by_its_fields() -> None:
    text = SAMPLES[2].text.replace("#Version: 1.0", "#Version: 2.0")
    parsed = FORMATS["cloudfront"].make().parse(text.encode(), NOW_MS)
    assert told(parsed) == list(SAMPLES[2].events)
    assert parsed.notes == ("#Version 2.0 is not 1.0: read by its #Fields",)


def test_millisecond_times_are_exact_for_every_millisecond_of_a_second() -> None:
    times = np.arange(1_700_000_000_000, 1_700_000_001_000)
    lines = "".join(
        f"{ms // 1000}.{ms % 1000:03d}\ta.example\thttps\tHTTP/1.1\t200\t1\t-\tx\n"
        for ms in times.tolist()
    )
    parsed = FORMATS["nginx-tsv"].make().parse(lines.encode(), NOW_MS)
    assert np.array_equal(parsed.columns.time_ms, times)
