"""Fastly's log streaming as JSON behind a syslog prefix; scheme and host stand in `url`."""

from __future__ import annotations

from edge.logs.formats.block import Format
from edge.logs.formats.jsonlines import JsonParser
from edge.logs.formats.mapping import Mapping

MAPPING = Mapping.model_validate(
    {
        "time": {"field": "date_time", "unit": "rfc3339"},
        "host": {"url": "url"},
        "scheme": {"url": "url"},
        "protocol": "protocol",
        "cache": "cache",
        "status": "status",
        "bytes": "bytes",
        "after_prefix": True,
    }
)

FASTLY = Format(name="fastly", make=lambda: JsonParser(MAPPING))
