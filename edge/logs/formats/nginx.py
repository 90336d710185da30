"""nginx and Tengine, `log_format edgetoll_json` of deploy/nginx (DESIGN 3.3): JSON, all values
quoted. `sni` and `tls` are younger: lines without them are read as ever.
"""

from __future__ import annotations

from edge.logs.formats.block import Format
from edge.logs.formats.fast_nginx import parse_fast_json
from edge.logs.formats.jsonlines import JsonParser
from edge.logs.formats.mapping import Mapping

MAPPING = Mapping.model_validate(
    {
        "time": {"field": "time", "unit": "s_or_rfc3339"},
        "host": "host",
        "scheme": {"field": "scheme"},
        "protocol": "protocol",
        "status": "status",
        "bytes": "bytes_sent",
        "cache": "cache",
        "id": "id",
        "sni": "sni",
    }
)

NGINX = Format(name="nginx", make=lambda: JsonParser(MAPPING, fast=parse_fast_json))
