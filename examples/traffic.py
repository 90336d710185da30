"""A seeded generator of CDN traffic: nginx JSON access log lines for a handful of accounts.

The same seed and period give the same bytes. Everything is made in columns. What it made it also
counts, so that a demo or a test can compare to the unit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One Host name and its visitors: shares in percent, `kilobytes` of a typical answer."""

    host: str
    weight: int
    https: int
    quic: int = 0
    kilobytes: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One edge server: its name, the country it stands in, and its share of the traffic."""

    edge_id: str
    region: str
    weight: int


SITES = (
    Site(host="www.northwind.example", weight=16, https=97, kilobytes=60),
    Site(host="static.northwind.example", weight=18, https=99, quic=20, kilobytes=900),
    Site(host="eu.img.northwind.example", weight=8, https=100, kilobytes=1_500),
    Site(host="us.img.northwind.example", weight=6, https=100, kilobytes=1_500),
    Site(host="video.lumen.example", weight=12, https=100, quic=35, kilobytes=9_000),
    Site(host="px.tinypixel.example", weight=26, https=100, kilobytes=1),
    Site(host="www.dailypress.example", weight=8, https=55, kilobytes=120),
    Site(host="bücher.dailypress.example", weight=2, https=60, kilobytes=200),
    Site(host="mirror.archive.example", weight=3, https=0, kilobytes=4_000),
    Site(host="nobody-bought-this.example", weight=1, https=50, kilobytes=10),
)
EDGES = (
    Edge(edge_id="fra-1", region="DE", weight=45),
    Edge(edge_id="iad-1", region="US", weight=35),
    Edge(edge_id="sin-1", region="SG", weight=20),
)
STATUSES = ["200", "206", "301", "304", "404", "499", "503"]
STATUS_SHARES = np.array([80, 6, 4, 6, 2, 1, 1]) / 100
CACHES = ["HIT", "MISS", ""]
CACHE_SHARES = [0.9, 0.08, 0.02]
# Visitors sleep: the weight of each UTC hour of a day.
DAY_CURVE = np.array([4, 3, 2, 2, 2, 3, 4, 6, 7, 8, 8, 8, 8, 8, 8, 8, 8, 9, 10, 11, 11, 9, 7, 5])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Some log lines of one edge, in time order, and the truth about them."""

    edge: Edge
    lines: pl.Series
    truth: pl.DataFrame  # host, class, requests, bytes_sent


def shares(weights: list[int]) -> np.ndarray:
    """Probabilities out of whole weights."""
    column = np.array(weights, dtype=np.float64)
    normed: np.ndarray = np.divide(column, column.sum())
    return normed


def traffic(
    *, seed: int, start: datetime, end: datetime, requests: int, chunks: int
) -> Iterator[Stretch]:
    """About `requests` requests in [start, end), as `chunks` chunks per edge in time order.

    Between two chunks of an edge a caller may rotate its log.
    """
    generator = np.random.default_rng(seed)
    begin, stop = (int(moment.timestamp()) * 1000 for moment in (start, end))
    bounds = np.linspace(begin, stop, chunks + 1).astype(np.int64)
    portions = shares([edge.weight for edge in EDGES])
    for low, high in itertools.pairwise(bounds):
        for edge, portion in zip(EDGES, portions, strict=True):
            size = int(requests * portion * (high - low) // max(stop - begin, 1))
            yield _chunk(generator, edge, int(low), int(high), size)


def _times(generator: np.random.Generator, low: int, high: int, size: int) -> np.ndarray:
    """`size` sorted times in [low, high) that follow the curve of a day."""
    hours = np.arange(low // HOUR_MS, (high - 1) // HOUR_MS + 1)
    chosen = generator.choice(hours, size=size, p=shares([int(DAY_CURVE[h % 24]) for h in hours]))
    times = chosen * HOUR_MS + generator.integers(0, HOUR_MS, size=size)
    return np.sort(np.clip(times, low, high - 1))


def _chunk(generator: np.random.Generator, edge: Edge, low: int, high: int, size: int) -> Stretch:
    times = _times(generator, low, high, size)
    site = generator.choice(len(SITES), size=size, p=shares([s.weight for s in SITES]))
    luck = generator.integers(0, 100, size=size)
    over_tls = luck < np.array([s.https for s in SITES])[site]
    over_quic = luck < np.array([s.quic for s in SITES])[site]
    typical = np.array([s.kilobytes for s in SITES])[site] * 1024
    sent = 200 + typical * generator.integers(20, 180, size=size) // 100
    frame = pl.DataFrame(
        {
            "ms": times,
            "host": _named([s.host for s in SITES], site),
            "scheme": _named(["http", "https"], over_tls),
            "protocol": _named(
                ["HTTP/1.1", "HTTP/2.0", "HTTP/3.0"],
                np.where(over_quic, 2, over_tls & (luck % 3 > 0)),
            ),
            "status": _named(STATUSES, generator.choice(len(STATUSES), size=size, p=STATUS_SHARES)),
            "sent": sent,
            "cache": _named(CACHES, generator.choice(len(CACHES), size=size, p=CACHE_SHARES)),
            "id": generator.integers(0, 2**63, size=size),
            "class": _named(["http", "https", "quic"], np.where(over_quic, 2, over_tls)),
        }
    )
    return Stretch(edge=edge, lines=frame.select(_line()).to_series(), truth=_count(frame))


def _named(names: list[str], index: np.ndarray) -> pl.Series:
    """The text at each index: numpy would pad every one to the longest."""
    return pl.Series(names).gather(index.astype(np.uint32))


def _line() -> pl.Expr:
    """One line as deploy/nginx writes it: every value quoted."""
    milliseconds = (pl.col("ms") % 1000).cast(pl.String).str.zfill(3)
    values = {
        "time": pl.concat_str(pl.col("ms") // 1000, milliseconds, separator="."),
        "host": pl.col("host"),
        "scheme": pl.col("scheme"),
        "protocol": pl.col("protocol"),
        "status": pl.col("status"),
        "bytes_sent": pl.col("sent").cast(pl.String),
        "cache": pl.col("cache"),
        "id": pl.col("id").cast(pl.String).str.zfill(32),
    }
    parts: list[pl.Expr] = [pl.lit("{")]
    for number, (key, value) in enumerate(values.items()):
        comma = "," if number else ""
        parts += [pl.lit(f'{comma}"{key}":"'), value, pl.lit('"')]
    return pl.concat_str(*parts, pl.lit("}"))


def _count(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.group_by("host", "class").agg(
        pl.len().cast(pl.Int64).alias("requests"), pl.col("sent").sum().alias("bytes_sent")
    )
