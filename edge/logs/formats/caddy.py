"""Caddy's JSON access log: https where `request.tls` is there; `ts` is written when a request
ends.
"""

from __future__ import annotations

from edge.logs.formats.block import Format
from edge.logs.formats.jsonlines import JsonParser
from edge.logs.formats.mapping import Mapping

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
