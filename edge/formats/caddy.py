"""Caddy's JSON access log: https where `request.tls` is there; `ts` is written when a request
ends.
"""

from __future__ import annotations

from edge.formats.block import Format
from edge.formats.jsonlines import JsonParser
from edge.formats.mapping import Mapping

MAPPING = Mapping.model_validate(
    {
        "time": {"field": "ts", "unit": "s_or_rfc3339"},
        "host": "request.host",
        "scheme": {"tls": "request.tls"},
        "protocol": "request.proto",
        "status": "status",
        "bytes": "size",
        "only": {"field": "logger", "prefix": "http.log.access"},
    }
)

CADDY = Format(name="caddy", make=lambda: JsonParser(MAPPING))
