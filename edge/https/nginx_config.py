"""The configuration of this edge's nginx as text: a pure function of wishes, stop list, version.

One server block for each class of settings and maps of known names, not one block a domain: 2,000
blocks cost nginx seconds at each reload (HTTPS.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from edge.domain import canonical_domain
from edge.errors import ConfigError, InputError
from edge.https.records import (
    TLS_VERSIONS,
    HttpsSettings,
    StoppedName,
    TlsVersion,
    parent_of,
    stop_of,
)
from edge.https.settings import HttpsEdge
from edge.https.upload.names import file_stem

LOG_FORMATS = """\
    log_format edgetoll_json escape=json
        '{"time":"$msec","host":"$host","scheme":"$scheme","protocol":"$server_protocol",'
        '"status":"$status","bytes_sent":"$bytes_sent","cache":"$upstream_cache_status","id":"$request_id",'
        '"sni":"$ssl_server_name","tls":"$ssl_protocol"}';
    log_format edgetoll_tsv escape=default
        '$msec\\t$host\\t$scheme\\t$server_protocol\\t$status\\t$bytes_sent\\t$upstream_cache_status\\t$request_id'
        '\\t$ssl_server_name\\t$ssl_protocol';
"""
GENERATION_PATH = "/edgetoll-configuration"
"""Where the unknown host says, to this machine alone and into no log, which configuration runs."""
GENERATION_MARK = "generation-of-this-file"
STOPPED_PAGE = (
    "<!doctype html><meta charset=utf-8><title>Suspended</title>"
    "<h1>This site is suspended</h1><p>Its owner can bring it back by settling the account.</p>"
)


class NginxVersion(NamedTuple):
    """nginx's version, and from it what can be said to that nginx."""

    major: int
    minor: int
    patch: int

    @classmethod
    def read(cls, said: str) -> NginxVersion:
        """From what `nginx -v` prints; ConfigError when it is not nginx (nor Tengine)."""
        found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", said)
        if found is None:
            raise ConfigError(f"«{said.strip()[:80]}» is no nginx", "name it in [edge.https] nginx")
        return cls(*(int(part) for part in found.groups()))

    def __str__(self) -> str:
        return ".".join(map(str, self))


REJECTS_HANDSHAKES = NginxVersion(1, 19, 4)
HAS_HTTP3 = NginxVersion(1, 25, 0)
HTTP2_PER_NAME = NginxVersion(1, 25, 1)
CACHES_CERTIFICATES = NginxVersion(1, 27, 4)
TLS_PER_NAME = NginxVersion(1, 29, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the configuration's files lie. Paths go into nginx's text and are checked for it."""

    folder: Path
    live: Path
    log_file: Path
    stopped_log_file: Path
    origin_roots: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _SecureClass:
    """The domains that have all settings in common, and what these are in nginx's words."""

    names: tuple[str, ...]
    http2: bool
    http3: bool
    protocols: str
    hsts: str
    to_http: int


def unable(version: NginxVersion, domains: Iterable[HttpsSettings]) -> list[str]:
    """A sentence for each thing wished that this nginx cannot honour; empty when it can do all."""
    secure = [one for one in domains if one.enabled]
    said: list[str] = []
    if version < REJECTS_HANDSHAKES:
        said.append(
            f"nginx {version} cannot refuse handshakes without a known name: that needs"
            f" {REJECTS_HANDSHAKES}"
        )
    said += [
        f"{one.domain}: nginx {version} has no HTTP/3: that needs {HAS_HTTP3} (--http3 off)"
        for one in secure
        if one.http3 and version < HAS_HTTP3
    ]
    for what, option, needs, of in (
        ("HTTP/2", "--http2", HTTP2_PER_NAME, lambda one: "on" if one.http2 else "off"),
        ("TLS versions", "--tls-min", TLS_PER_NAME, lambda one: one.tls_min),
    ):
        wished = {of(one): one.domain for one in reversed(secure)}
        if len(wished) > 1 and version < needs:
            each = ", ".join(f"{name} wants {wish}" for wish, name in sorted(wished.items()))
            said.append(
                f"nginx {version} has {what} for all names of a socket alike ({each}): by name"
                f" needs {needs}; give all the same with {option}"
            )
    return said


def render(
    domains: Sequence[HttpsSettings],
    stopped: Sequence[StoppedName],
    *,
    version: NginxVersion,
    edge: HttpsEdge,
    places: Places,
) -> str:
    """The whole configuration file. The same arguments give the same bytes."""
    domains = sorted(domains, key=lambda one: one.domain)
    served = [one for one in domains if one.origin]
    secure = [one for one in served if one.enabled]
    stopped_map, excepted = _stops(stopped, served)
    is_closing = edge.mode == "close"
    closed = [name for name, is_stopped in stopped_map if is_stopped] if is_closing else []
    plain, upgraded = _plain(served, closed, excepted)
    one_wish = secure[0] if secure else None
    per_name = version >= HTTP2_PER_NAME
    text = _template().render(
        version=version,
        user=edge.user,
        folder=places.folder,
        log_file=places.log_file,
        stopped_log_file=places.stopped_log_file,
        origin_roots=places.origin_roots,
        log_formats=LOG_FORMATS,
        log_format="edgetoll_json" if edge.log_format == "nginx" else "edgetoll_tsv",
        cache_megabytes=edge.cache_megabytes,
        hash_size=_hash_size(len(domains) + len(excepted)),
        bundles=[
            (name, quoted(places.live, f"{file_stem(one.domain)}.pem"))
            for one in secure
            for name in (one.domain, *excepted.get(one.domain, ()))
        ],
        origins=[(one.domain, _origin_url(one.origin)) for one in served],
        origin_names=[(one.domain, urlsplit(one.origin).hostname) for one in served],
        upstreams=sorted({(_upstream(one.origin), _address(one.origin)) for one in served}),
        stopped=stopped_map,
        parents=[
            (one.domain, one.domain[2:] if one.domain.startswith("*.") else '""') for one in served
        ],
        http_listen=_listen(edge.address, edge.http_port),
        https_listen=_listen(edge.address, edge.https_port),
        http_suffix="" if edge.http_port == 80 else f":{edge.http_port}",
        https_suffix="" if edge.https_port == 443 else f":{edge.https_port}",
        socket_http2=" http2" if one_wish and one_wish.http2 and not per_name else "",
        http2_per_name=per_name,
        socket_tls=_protocols(one_wish.tls_min) if one_wish else "",
        certificate_cache=version >= CACHES_CERTIFICATES,
        plain_names=[plain] if plain else [],
        upgraded=upgraded,
        secure=_classes(secure, closed, excepted, version),
        closed=closed,
        stopped_billed=edge.stopped_log == "billed",
        stopped_rule=_STOPPED_RULE,
        proxy="proxy_pass $edgetoll_origin;",
        generation=GENERATION_MARK,
        generation_path=GENERATION_PATH,
    )
    return text.replace(GENERATION_MARK, hashlib.sha256(text.encode()).hexdigest()[:32])


def generation(text: str) -> str:
    """What an nginx that runs with configuration `text` answers at GENERATION_PATH."""
    found = re.search(rf'{re.escape(GENERATION_PATH)} .*return 200 "([0-9a-f]{{32}})"', text)
    return found[1] if found else ""


def checked_origin(text: str) -> str:
    """`text` as the URL of an origin (scheme, host, port; no path), else InputError."""
    try:
        url = urlsplit(text.strip())
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    host = url.hostname or ""
    address = re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", host)
    if (
        url.scheme not in ("http", "https")
        or (canonical_domain(host) is None and not address)
        or url.path not in ("", "/")
        or url.query
        or url.fragment
        or url.username
        or url.password
    ):
        raise InputError(
            f"«{text}» is no origin", "write it like https://origin.example.com or http://…:8080"
        )
    name = host if address else canonical_domain(host)
    return f"{url.scheme}://{name}{f':{port}' if port else ''}"


def quoted(path: Path, name: str = "") -> str:
    """A path as nginx takes it; ConfigError for one that would break out of its quotes."""
    text = str(path / name) if name else str(path)
    if re.search(r'["\\$\x00-\x1f{};]', text):
        raise ConfigError(f"«{text}» cannot stand in nginx's configuration", "use a plain path")
    return f'"{text}"'


_STOPPED_RULE = f"""\
        error_page 463 =403 @edgetoll_stopped;
        if ($edgetoll_stopped) {{ return 463; }}
        location @edgetoll_stopped {{ default_type text/html; return 403 "{STOPPED_PAGE}"; }}"""


def _classes(
    secure: Sequence[HttpsSettings],
    closed: Sequence[str],
    excepted: dict[str, tuple[str, ...]],
    version: NginxVersion,
) -> list[_SecureClass]:
    found: dict[tuple[object, ...], list[str]] = {}
    for one in secure:
        to_http = one.redirect_status if one.redirect == "to-http" else 0
        protocols = _protocols(one.tls_min) if version >= TLS_PER_NAME else ""
        key = (one.http2, one.http3, protocols, _hsts(one), to_http)
        names = [] if one.domain in closed else [one.domain]
        found.setdefault(key, []).extend([*names, *excepted.get(one.domain, ())])
    return [
        _SecureClass(
            names=tuple(names),
            http2=bool(key[0]),
            http3=bool(key[1]),
            protocols=str(key[2]),
            hsts=str(key[3]),
            to_http=int(str(key[4])),
        )
        for key, names in sorted(found.items(), key=lambda item: item[1])
        if names
    ]


def _plain(
    served: Sequence[HttpsSettings], closed: Sequence[str], excepted: dict[str, tuple[str, ...]]
) -> tuple[list[str], list[tuple[list[str], int]]]:
    """Names answered over HTTP, and those sent on to HTTPS, by the status of that redirect."""
    plain: list[str] = []
    upgraded: dict[int, list[str]] = {}
    for one in served:
        names = [] if one.domain in closed else [one.domain]
        names += excepted.get(one.domain, ())
        if one.enabled and one.redirect == "to-https":
            upgraded.setdefault(one.redirect_status, []).extend(names)
        else:
            plain.extend(names)
    return plain, [(names, status) for status, names in sorted(upgraded.items()) if names]


def _stops(
    stopped: Sequence[StoppedName], served: Sequence[HttpsSettings]
) -> tuple[list[tuple[str, int]], dict[str, tuple[str, ...]]]:
    """What the list means on this edge: 1 for each name that is stopped, 0 for each that its
    stopped wildcard must not take along; and by wildcard the exceptions that are served as part of
    it, having no settings of their own.

    Names that this edge does not serve are left out: they are none of its nginx's business.
    """
    own = {one.domain for one in served}
    parents = {parent_of(name) for name in own}
    here = {
        one.domain: one
        for one in stopped
        if one.domain in own or one.domain in parents or parent_of(one.domain) in own
    }
    found = {name: int(stop_of(name, here) is not None) for name in own} | dict.fromkeys(here, 1)
    excepted = {}
    for name, one in here.items():
        others = tuple(other for other in one.except_names if other not in own)
        found |= dict.fromkeys((other for other in others if other not in here), 0)
        if name in own and others:
            excepted[name] = others
    return sorted(found.items()), excepted


def _hsts(one: HttpsSettings) -> str:
    if not one.hsts_seconds:
        return ""
    return f"max-age={one.hsts_seconds}" + ("; includeSubDomains" if one.hsts_subdomains else "")


def _protocols(least: TlsVersion) -> str:
    at = TLS_VERSIONS.index(least)
    names = {"1.0": "TLSv1", "1.1": "TLSv1.1", "1.2": "TLSv1.2", "1.3": "TLSv1.3"}
    return " ".join(names[version] for version in TLS_VERSIONS[at:])


def _upstream(origin: str) -> str:
    return f"origin_{hashlib.sha256(origin.encode()).hexdigest()[:16]}"


def _origin_url(origin: str) -> str:
    return f"{urlsplit(origin).scheme}://{_upstream(origin)}"


def _address(origin: str) -> str:
    url = urlsplit(origin)
    return f"{url.hostname}:{url.port or (443 if url.scheme == 'https' else 80)}"


def _listen(address: str, port: int) -> str:
    return f"{address}:{port}" if address else str(port)


def _hash_size(names: int) -> int:
    size = 2048
    while size < names * 2:
        size *= 2
    return size


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("edge.https", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["quoted"] = quoted
    return environment.get_template("nginx.conf.j2")
