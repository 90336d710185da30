"""The formats that are known by name, and which of them a block of lines looks like."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edge.configfile import read_toml
from edge.errors import InputError
from edge.logs.formats.block import Format, parse_whatever
from edge.logs.formats.caddy import CADDY
from edge.logs.formats.cloudfront import CLOUDFRONT
from edge.logs.formats.elb import ALB, ELB
from edge.logs.formats.fastly import FASTLY
from edge.logs.formats.jsonlines import JsonParser
from edge.logs.formats.mapping import Mapping
from edge.logs.formats.nginx import NGINX
from edge.logs.formats.nginx_tsv import NGINX_TSV
from edge.logs.formats.traefik import TRAEFIK

FORMATS: dict[str, Format] = {
    each.name: each for each in (NGINX, NGINX_TSV, CLOUDFRONT, ELB, ALB, FASTLY, CADDY, TRAEFIK)
}


def find_format(name: str) -> Format:
    """The format called `name`, or the one that mapping file `name` (`….toml`) describes.

    Raises InputError for an unknown name and ConfigError for a mapping that cannot be used.
    """
    if name in FORMATS:
        return FORMATS[name]
    if not name.endswith(".toml"):
        known = ", ".join(FORMATS)
        raise InputError(f"no format «{name}»", f"use one of {known}, or a mapping file *.toml")
    mapping = read_toml(Path(name), Mapping)
    version = hashlib.blake2b(mapping.model_dump_json().encode(), digest_size=16).hexdigest()[:8]
    return Format(
        name=Path(name).stem, make=lambda: JsonParser(mapping, doubt=True), version=version
    )


def looks_like(block: bytes, now_ms: int) -> str | None:
    """The shipped format that reads most lines of `block`, whole lines; None if none reads any."""
    found = {
        name: len(parse_whatever(each.make(), block, now_ms).rows) for name, each in FORMATS.items()
    }
    best = max(found, key=found.__getitem__)
    return best if found[best] else None
