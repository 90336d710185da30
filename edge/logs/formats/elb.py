"""AWS load balancers: the Classic ELB's log and the Application Load Balancer's.

Both are values between spaces; the host stands in the URL of the quoted request line, since ALB's
own `domain_name` is the SNI and absent for http. ALB's first value is the listener's type and gives
the scheme; the Classic ELB's scheme is the URL's, which the balancer writes from its listener. A
request it could not parse (`- http://host:80- -`, a dash for the path) counts to that host: the
balancer answered 400 (DOMAIN §4).
"""

from __future__ import annotations

import polars as pl

from edge.logs.formats.block import Format, Parsed, Settled
from edge.logs.formats.delimited import read_lines
from edge.logs.formats.judge_lines import judge_lines, rfc3339_ms
from edge.reasons import Reason

_REQUEST = (
    r'"(?P<method>\S+) (?:(?P<scheme>[A-Za-z0-9]+)://(?P<host>[^/?# "]*))?'
    r'[^"]*?(?P<protocol>HTTP/[0-9.]+)?\s*"'
)
_CLASSIC = (
    r"^(?P<time>\S+) \S+ \S+ \S+ \S+ \S+ \S+ (?P<status>\S+) \S+ \S+ (?P<bytes>\S+) " + _REQUEST
)
_ALB = (
    r"^(?P<type>\S+) (?P<time>\S+) \S+ \S+ \S+ \S+ \S+ \S+ (?P<status>\S+) \S+ \S+ (?P<bytes>\S+) "
    + _REQUEST
)


class ElbParser:
    """Reads blocks of lines of either balancer."""

    def __init__(self, *, alb: bool) -> None:
        self.pattern = _ALB if alb else _CLASSIC
        self.scheme = "type" if alb else "scheme"

    def recall(self, directives: list[bytes]) -> None:
        """These formats have no directives."""

    def parse(self, block: bytes, now_ms: int) -> Parsed:
        """The events of `block`; see `Parser`."""
        lines = read_lines(block)
        raw = (
            lines.to_frame().select(pl.col("line").str.extract_groups(self.pattern)).unnest("line")
        )
        settled = Settled()
        for row in raw.select(pl.col("host").is_null().arg_true()).to_series().to_list():
            if lines[row] is None or not lines[row].strip():
                settled.pass_over(row)
            elif raw["method"][row] is None:
                settled.refuse(row, Reason.SYNTAX, "no request line where one should be")
            else:
                settled.refuse(row, Reason.NOT_HTTP)
        frame = raw.select(
            pl.col("time").alias("raw_time"),
            rfc3339_ms("time").alias("time_ms"),
            # The dash stands for the path of a request that could not be parsed: no name ends so.
            pl.col("host").str.strip_suffix("-"),
            pl.col("protocol"),
            pl.col(self.scheme).alias("scheme"),
            # "-": the target never answered and the viewer left; the head had been parsed.
            pl.col("status").replace({"-": "0"}),
            pl.col("bytes"),
            pl.lit(None, pl.String).alias("cache"),
        )
        return judge_lines(frame, now_ms, settled)


ELB = Format(name="elb", make=lambda: ElbParser(alb=False))
ALB = Format(name="alb", make=lambda: ElbParser(alb=True))
