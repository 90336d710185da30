"""The configuration's text: golden files, what each nginx can honour, nothing breaks out of it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.errors import ConfigError, InputError
from edge.https.nginx_config import (
    NginxVersion,
    Places,
    checked_origin,
    generation,
    quoted,
    render,
    unable,
)
from edge.https.records import HttpsSettings, StoppedName
from edge.https.settings import HttpsEdge
from edge.https.upload.records import TlsCertificate

WRITE = os.environ.get("EDGETOLL_GOLDEN") == "write"
GOLDEN = Path(__file__).parents[2] / "golden" / "nginx"
NGINX_122 = NginxVersion(1, 22, 1)
NGINX_129 = NginxVersion(1, 29, 2)
AT = datetime(2027, 1, 1, tzinfo=UTC)
LEAF = TlsCertificate(
    sha256="ab" * 32, subject="x", issuer="ca", names=(), not_before=AT, not_after=AT, key_type="EC"
)
PLACES = Places(
    folder=Path("/srv/home/https/nginx"),
    live=Path("/srv/home/https/live"),
    log_file=Path("/var/log/nginx/edgetoll.log"),
    stopped_log_file=Path("/srv/home/https/nginx/stopped.log"),
    origin_roots=Path("/srv/roots.pem"),
)


def on(domain: str, **more: object) -> HttpsSettings:
    """A domain whose HTTPS is on."""
    first = HttpsSettings(
        domain=domain, origin="https://origin.example:8443", bundle="b.pem", certificate=LEAF
    )
    from dataclasses import replace

    return replace(first, **more)  # type: ignore[arg-type]


DOMAINS = [
    on("www.shop.example", redirect="to-https", hsts_seconds=86_400, hsts_subdomains=True),
    on("*.wild.example"),
    on("back.shop.example", redirect="to-http", redirect_status=308, origin="http://10.0.0.1:81"),
    HttpsSettings(domain="plain.shop.example", origin="http://origin.example"),
]
STOPPED = [
    StoppedName(domain="*.wild.example", cause="suspended", except_names=("b.wild.example",)),
    StoppedName(domain="plain.shop.example", cause="suspended"),
]


@pytest.mark.parametrize(
    ("name", "domains", "version", "edge"),
    [
        ("none", [], NGINX_122, HttpsEdge()),
        ("debian", DOMAINS, NGINX_122, HttpsEdge()),
        ("newest", [*DOMAINS, on("h3.shop.example", http3=True, http2=False, tls_min="1.3")],
         NGINX_129, HttpsEdge(user="www-data", http_port=8080, https_port=8443)),
        ("closed", DOMAINS, NGINX_122, HttpsEdge(mode="close", stopped_log="billed",
                                                 log_format="nginx-tsv")),
    ],
)  # fmt: skip
def test_golden_configuration(
    name: str, domains: list[HttpsSettings], version: NginxVersion, edge: HttpsEdge
) -> None:
    made = render(domains, STOPPED, version=version, edge=edge, places=PLACES)
    path = GOLDEN / f"{name}.conf"
    if WRITE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made, "run make golden and look at the diff"
    assert generation(made)
    shuffled = render(domains[::-1], STOPPED, version=version, edge=edge, places=PLACES)
    assert shuffled == made


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("nginx version: nginx/1.22.1", (1, 22, 1)),
        ("Tengine version: Tengine/3.1.0\nnginx version: nginx/1.24.0", (1, 24, 0)),
        ("nginx version: nginx/1.29.3 (Ubuntu)", (1, 29, 3)),
    ],
)
def test_versions_are_read(said: str, version: tuple[int, int, int]) -> None:
    assert NginxVersion.read(said) == version


def test_another_program_is_no_nginx() -> None:
    with pytest.raises(ConfigError, match="no nginx"):
        NginxVersion.read("Apache/2.4")


@pytest.mark.parametrize(
    ("version", "domains", "sentences"),
    [
        ((1, 18, 0), [on("a.example")], 1),
        ((1, 22, 1), [on("a.example"), on("b.example")], 0),
        ((1, 22, 1), [on("a.example"), on("b.example", http2=False)], 1),
        ((1, 25, 1), [on("a.example"), on("b.example", http2=False)], 0),
        ((1, 22, 1), [on("a.example"), on("b.example", tls_min="1.3")], 1),
        ((1, 29, 1), [on("a.example"), on("b.example", tls_min="1.3")], 1),
        ((1, 29, 2), [on("a.example"), on("b.example", tls_min="1.3")], 0),
        ((1, 24, 0), [on("a.example", http3=True)], 1),
        ((1, 25, 0), [on("a.example", http3=True)], 0),
        ((1, 22, 1), [on("a.example"), on("b.example", http3=True, http2=False, tls_min="1.0")], 3),
    ],
)
def test_what_a_version_cannot_do_is_a_sentence_each(
    version: tuple[int, int, int], domains: list[HttpsSettings], sentences: int
) -> None:
    assert len(unable(NginxVersion(*version), domains)) == sentences


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Origin.Example.com/", "https://origin.example.com"),
        ("http://10.1.2.3:8080", "http://10.1.2.3:8080"),
        ("https://origin.example.com:8443", "https://origin.example.com:8443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(text: str, origin: str) -> None:
    assert checked_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    ["", "origin.example", "ftp://a.example", "http://a.example/path", "http://u:p@a.example",
     "http://a.example:99999", "http://a;b.example", "http://a.example;}", "http://a b",
     'http://a".example', "http://$host", "https://a.example?x=1", "http://[::1"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no origin"):
        checked_origin(text)


@pytest.mark.parametrize("path", ['/a"b', "/a$b", "/a;b", "/a\nb", "/a{b", "/a\\b"])
def test_a_path_that_would_break_out_of_its_quotes_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="nginx's configuration"):
        quoted(Path(path))
