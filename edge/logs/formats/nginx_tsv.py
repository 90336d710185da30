"""nginx and Tengine, `log_format edgetoll_tsv` of deploy/nginx: the values of `nginx` between tabs.

The order is time, host, scheme, protocol, status, bytes_sent, cache, id, sni, tls (DESIGN 3.3); the
last two are younger, and lines without them are read as ever. escape=default writes a tab inside a
value as `\\x09`, other bytes outside printable ASCII likewise, and nothing as `-`.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from edge.logs.formats.block import Format, Parsed, Settled, physical_lines
from edge.logs.formats.delimited import OVERFLOW, is_blank, read_values
from edge.logs.formats.fast_nginx import NAMES, NAMES_WITH_TLS, TLS_VERSION, parse_fast_tsv
from edge.logs.formats.judge_lines import judge_lines
from edge.logs.formats.times import decimal_ms, rfc3339_ms
from edge.reasons import Reason

_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")
_WIDTHS: Final = (len(NAMES), len(NAMES_WITH_TLS))
_FIELDS: Final = {"bytes": "bytes_sent"}


class TsvParser:
    """Reads blocks of tab-separated lines."""

    def recall(self, directives: list[bytes]) -> None:
        """This format has no directives."""

    def parse(self, block: bytes, now_ms: int) -> Parsed:
        """The events of `block`; see `Parser`."""
        found = parse_fast_tsv(block, now_ms, unescape)
        if found is not None:
            return found
        raw = read_values(block, list(NAMES_WITH_TLS), list(NAMES_WITH_TLS))
        settled = Settled()
        # A line of another width is no line of this format; one that is blank is none at all.
        whole = pl.col("tls").is_null() | (pl.col("tls") == "-")
        odd = raw.select(
            (
                pl.col("id").is_null()
                | pl.col(OVERFLOW).is_not_null()
                | (pl.col("tls").is_null() & pl.col("sni").is_not_null())
                | ~(whole | pl.col("tls").str.contains(TLS_VERSION))
            ).arg_true()
        )
        lines = physical_lines(block) if odd.height else []
        for row in odd.to_series().to_list():
            width = lines[row].count(b"\t") + 1
            if is_blank(raw.row(row)):
                settled.pass_over(row)
            elif width not in _WIDTHS or not _plausible(raw["tls"][row]):
                known = " or ".join(map(str, _WIDTHS))
                settled.refuse(row, Reason.SCHEMA, f"{width} columns instead of {known}")
        frame = raw.select(
            pl.col("time").alias("raw_time"),
            _time_ms(raw).alias("time_ms"),
            # An empty Host is a Host that names nobody (FAULTS D4), not a missing column.
            pl.col("host").fill_null(""),
            pl.col("scheme", "protocol", "status", "cache", "id", "sni"),
            pl.col("bytes_sent").alias("bytes"),
        )
        return judge_lines(frame, now_ms, settled, decode_host=unescape, fields=_FIELDS)


def _plausible(tls: str | None) -> bool:
    """Whether the last of ten columns can be a TLS version: two records run together have none."""
    return tls is None or tls == "-" or re.match(TLS_VERSION, tls) is not None


def _time_ms(raw: pl.DataFrame) -> pl.Series:
    """Seconds with decimals; RFC 3339 is tried only where a block holds something else."""
    found = raw.select(decimal_ms("time", 1)).to_series()
    if found.null_count():
        return raw.select(pl.coalesce(decimal_ms("time", 1), rfc3339_ms("time"))).to_series()
    return found


def unescape(host: str) -> str:
    """The host that nginx wrote with `\\xHH` escapes."""
    if "\\x" not in host:
        return host
    plain = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), host.encode())
    return plain.decode("utf-8", "replace")


NGINX_TSV = Format(name="nginx-tsv", make=lambda name="": TsvParser())
