"""Traefik's JSON access log: the request ends at `StartUTC` + `Duration` (nanoseconds).

`RequestScheme` is that of the entry point's connection. `DownstreamContentSize` is what the viewer
got.
"""

from __future__ import annotations

from edge.logs.formats.block import Format
from edge.logs.formats.jsonlines import JsonParser
from edge.logs.formats.mapping import Mapping

MAPPING = Mapping.model_validate(
    {
        "time": {
            "field": "StartUTC",
            "unit": "rfc3339",
            "duration": "Duration",
            "duration_unit": "ns",
        },
        "host": "RequestHost",
        "scheme": {"field": "RequestScheme"},
        "protocol": "RequestProtocol",
        "status": "DownstreamStatus",
        "bytes": "DownstreamContentSize",
    }
)

TRAEFIK = Format(name="traefik", make=lambda: JsonParser(MAPPING))
