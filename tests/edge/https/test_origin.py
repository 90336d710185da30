"""A single machine as a CDN edge: origins over HTTPS are verified, answers cached and logged."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.edge.https.making import Ca, key_pem, pem
from tests.edge.https.world import Edge, free_ports, new_authorities
from tests.effort import PATIENCE_S

pytestmark = pytest.mark.needs_nginx
WWW = "www.shop.example"
ORIGIN = """
{user}
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
http {{
    access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{port} ssl; server_name localhost;
        ssl_certificate {folder}/origin.pem; ssl_certificate_key {folder}/origin.pem;
        add_header Cache-Control "max-age=60";
        location / {{ return 200 "$host over $ssl_server_name $request_id\\n"; }}
    }}
}}
"""


@contextmanager
def origin_of(folder: Path, ca: Ca, name: str) -> Iterator[str]:
    """A real nginx as the origin `localhost`, with a certificate of `ca` for `name`."""
    folder.mkdir()
    leaf, key = ca.leaf(name, now=datetime.now(UTC))
    (folder / "origin.pem").write_bytes(pem(leaf, ca.certificate) + key_pem(key))
    (port,) = free_ports(1)
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(ORIGIN.format(user=user, folder=folder, port=port))
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    process = subprocess.Popen(["nginx", "-c", str(configuration)], env=environment)
    try:
        until = time.monotonic() + PATIENCE_S
        while not (folder / "nginx.pid").exists():
            assert time.monotonic() < until
            threading.Event().wait(0.02)
        yield f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def enable(edge: Edge, domain: str, origin: str) -> None:
    """HTTPS on, with that origin."""
    certificate, key = edge.files(domain)
    edge.done("enable", domain, "--certificate", certificate, "--key", key, "--origin", origin)


def test_an_origin_over_https_is_verified_and_its_answers_are_cached(
    edge: Edge, tmp_path: Path
) -> None:
    """One origin is right, one has another's name, one is of a CA that nobody knows."""
    stranger = new_authorities()[1]
    with (
        origin_of(tmp_path / "right", edge.middle, "localhost") as right,
        origin_of(tmp_path / "name", edge.middle, "elsewhere.example") as wrong_name,
        origin_of(tmp_path / "stranger", stranger, "localhost") as unknown,
    ):
        enable(edge, WWW, right)
        enable(edge, "name.shop.example", wrong_name)
        enable(edge, "stranger.shop.example", unknown)
        assert edge.run("apply") == 1
        edge.start()
        edge.done("apply")
        first = edge.curl(f"https://{WWW}/a")
        again = edge.curl(f"https://{WWW}/a")
        assert first["status"] == 200
        assert first["body"].startswith(f"{WWW} over localhost ")
        assert again["body"] == first["body"], "from the cache"
        assert edge.curl(f"http://{WWW}/a")["body"] == first["body"]
        assert edge.curl("https://name.shop.example/")["status"] == 502
        assert edge.curl("https://stranger.shop.example/")["status"] == 502
    assert edge.curl(f"https://{WWW}/a")["status"] == 200, "cached, though the origin is gone"
    edge.stop()
    lines = [json.loads(line) for line in (edge.home / "access.log").read_text().splitlines()]
    assert sorted((one["host"], one["scheme"], one["cache"]) for one in lines) == [
        ("name.shop.example", "https", "MISS"),
        ("stranger.shop.example", "https", "MISS"),
        (WWW, "http", "HIT"),
        (WWW, "https", "HIT"),
        (WWW, "https", "HIT"),
        (WWW, "https", "MISS"),
    ]


def test_an_origin_that_nobody_can_find_is_refused_before_it_holds_up_the_others(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate, key = edge.files(WWW)
    words = ["enable", WWW, "--certificate", certificate, "--key", key]
    assert edge.run(*words, "--origin", "http://nowhere.invalid") == 1
    assert "the origin nowhere.invalid cannot be found" in capsys.readouterr().err
    assert not (edge.home / "https" / "vault").exists()
