"""A real Caddy: HTTP/3 beside HTTP/1.1 and HTTP/2 on one host, each request one event."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.caddy.http3 import ask_http3
from deploy.caddy.real_caddy import RealCaddy
from edge.terminal import now
from tests.edge.logs.reading import import_files, spool_content

pytestmark = pytest.mark.needs_caddy
HOST = "www.example.com"


def now_ms() -> int:
    """The real time: Caddy writes real times."""
    return int(now().timestamp() * 1000)


@pytest.fixture
def caddy(tmp_path: Path) -> Iterator[RealCaddy]:
    with RealCaddy(tmp_path / "caddy") as made:
        yield made


def test_streams_of_one_quic_connection_are_one_event_each_beside_http_1_and_2(
    caddy: RealCaddy, tmp_path: Path
) -> None:
    """Fifty streams at once; `quic` is a class of its own, and no request of it is `https` too."""
    for path in ("/", "/missing"):
        caddy.get(HOST, path, secure=False)
        caddy.get(HOST, path, secure=True)
        caddy.get(HOST, path, secure=True, http2=True)
    answers = ask_http3(caddy.secure, [(HOST, path) for path in ("/", "/missing") * 24])
    answers += ask_http3(caddy.secure, [(HOST, "/file"), ("static.example.net.:443", "/file")])
    caddy.stop()
    result = import_files(tmp_path / "spool", caddy.log, form="caddy", now_ms=now_ms())
    assert (result.lines, result.events, result.unattributable) == (56, 56, 0)
    content = spool_content(tmp_path / "spool")
    assert dict(content.classes) == {"http": 2, "https": 4, "quic": 50}
    assert content.domains == {HOST: 55, "static.example.net": 1}
    assert content.statuses == {200: 29, 404: 27}
    assert content.bytes_sent == sum(answer.body for answer in answers) + 3 * (5 + 12)
    assert sum(answer.body for answer in answers) == 2_000_000 + 24 * (5 + 12)


def test_no_address_header_or_path_is_in_what_caddy_writes_by_the_shipped_setting(
    caddy: RealCaddy,
) -> None:
    caddy.get(HOST, "/secret-path?token=1", secure=True)
    ask_http3(caddy.secure, [(HOST, "/secret-path?token=1")])
    caddy.stop()
    text = caddy.log.read_text()
    assert text.count("\n") == 2
    assert not any(word in text for word in ("secret", "token", "127.0.0.1", "curl", "User-Agent"))
