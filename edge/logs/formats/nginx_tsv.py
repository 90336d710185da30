"""nginx and Tengine, `log_format edgetoll_tsv` of deploy/nginx: the values of `nginx` between tabs.

The order is time, host, scheme, protocol, status, bytes_sent, cache, id (DESIGN 3.3).
escape=default writes a tab inside a value as `\\x09`, other bytes outside printable ASCII likewise,
and nothing as `-`.
"""

from __future__ import annotations

import re

import polars as pl

from edge.logs.formats.block import Format, Parsed, physical_lines
from edge.logs.formats.delimited import OVERFLOW, is_blank, read_values
from edge.logs.formats.fast_nginx import NAMES, parse_fast_tsv
from edge.logs.formats.judge_lines import decimal_ms, judge_lines, rfc3339_ms
from edge.reasons import Reason

_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")


class TsvParser:
    """Reads blocks of tab-separated lines."""

    def recall(self, directives: list[bytes]) -> None:
        """This format has no directives."""

    def parse(self, block: bytes, now_ms: int) -> Parsed:
        """The events of `block`; see `Parser`."""
        found = parse_fast_tsv(block, now_ms, unescape)
        if found is not None:
            return found
        raw = read_values(block, list(NAMES), list(NAMES))
        refusals: dict[int, Reason] = {}
        ignore: set[int] = set()
        # A line of another width is no line of this format; one that is blank is none at all.
        odd = raw.select((pl.col("id").is_null() | pl.col(OVERFLOW).is_not_null()).arg_true())
        lines = physical_lines(block) if odd.height else []
        for row in odd.to_series().to_list():
            if is_blank(raw.row(row)):
                ignore.add(row)
            elif lines[row].count(b"\t") != len(NAMES) - 1:
                refusals[row] = Reason.SCHEMA
        frame = raw.select(
            pl.col("time").alias("raw_time"),
            _time_ms(raw).alias("time_ms"),
            # An empty Host is a Host that names nobody (FAULTS D4), not a missing column.
            pl.col("host").fill_null(""),
            pl.col("scheme", "protocol", "status", "cache"),
            pl.col("bytes_sent").alias("bytes"),
        )
        return judge_lines(frame, now_ms, refusals=refusals, ignore=ignore, decode_host=unescape)


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


NGINX_TSV = Format(name="nginx-tsv", make=TsvParser)
