"""A real nginx with the shipped formats: every request it answers is one event, over rotation."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from deploy.nginx.real_nginx import RealNginx
from edge.logs.followed import Log
from edge.logs.formats.shipped import FORMATS
from edge.logs.refused_lines import RejectedLines
from edge.logs.streams import Writer
from edge.logs.tail import Tailer
from edge.terminal import now
from tests.edge.logs.reading import import_files, open_spool, spool_content

pytestmark = pytest.mark.needs_nginx


def now_ms() -> int:
    """The real time: nginx writes real times."""
    return int(now().timestamp() * 1000)


def ask(nginx: RealNginx, counts: Counter[str], host: str = "www.example.com") -> None:
    """One request each way, counted by the class it must be billed under."""
    nginx.get(host, "/", secure=False)
    nginx.get(host, "/missing", secure=True)
    nginx.get(host, "/cached/x", secure=True, http2=True)
    counts.update({"http": 1, "https": 2})


def test_requests_over_http_https_and_http2_are_tailed_over_rotation_with_usr1(
    tmp_path: Path,
) -> None:
    """Rename, go on writing to the renamed file, reopen: as logrotate and nginx do it."""
    counts: Counter[str] = Counter()
    with RealNginx(tmp_path / "nginx") as nginx, open_spool(tmp_path / "spool") as spool:
        writer = Writer(spool, RejectedLines(tmp_path / "spool"))
        logs = [Log(path=nginx.log, form=FORMATS["nginx"])]
        tailer = Tailer(writer, spool.positions(), logs, now_ms=now_ms)
        tailer.begin("beginning")
        for rotation in range(3):
            ask(nginx, counts)
            tailer.cycle()
            ask(nginx, counts)
            nginx.log.rename(nginx.log.with_name(f"edgetoll.log.{rotation}"))
            ask(nginx, counts)
            nginx.reopen()
            nginx.wait_for(nginx.log)
            ask(nginx, counts)
            tailer.cycle()
        assert tailer.cycle().at_end
    content = spool_content(tmp_path / "spool")
    assert dict(content.classes) == dict(counts)
    assert content.events == 36
    assert content.statuses == {200: 24, 404: 12}
    assert content.domains == {"www.example.com": 36}


def test_both_shipped_formats_hold_the_same_requests(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    with RealNginx(tmp_path / "nginx") as nginx:
        for host in ("WWW.Example.com.:443", "xn--bcher-kva.example", "10.0.0.1", "a_b"):
            ask(nginx, counts, host)
    as_json = import_files(tmp_path / "json", nginx.log, now_ms=now_ms())
    as_tsv = import_files(tmp_path / "tsv", nginx.tsv, form="nginx-tsv", now_ms=now_ms())
    assert as_json.events == as_tsv.events == 12
    assert as_json.unattributable == 3
    content = spool_content(tmp_path / "json")
    assert content == spool_content(tmp_path / "tsv")
    assert dict(content.classes) == dict(counts)
    assert content.domains == {"www.example.com": 3, "xn--bcher-kva.example": 3, "": 3, "a_b": 3}
    assert content.bytes_sent > 12 * 100, "headers are part of what was sent"


def test_no_client_address_or_path_is_in_what_nginx_writes(tmp_path: Path) -> None:
    with RealNginx(tmp_path / "nginx") as nginx:
        nginx.get("www.example.com", "/secret-path?token=1", secure=True)
    text = nginx.log.read_text() + nginx.tsv.read_text()
    assert "secret-path" not in text
    assert "127.0.0.1" not in text
    assert "curl" not in text
