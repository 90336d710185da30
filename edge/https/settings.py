"""Section `[edge.https]`: where nginx listens, whom it trusts, what a stopped name gets."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from edge.configfile import CONFIG_NAME, section


class HttpsEdge(BaseModel):
    """The edge server that `edgetoll edge https apply` configures.

    `roots_file` adds an operator's own roots (PEM) to the public ones. `stopped` is what a
    suspended domain answers: `page` (403), or `close` (the handshake is refused, a connection
    without TLS closed). `stopped_log` says whether those answers are billed events like any other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = ""
    http_port: int = Field(default=80, ge=1, le=65535)
    https_port: int = Field(default=443, ge=1, le=65535)
    nginx: str = "nginx"
    user: str = ""
    log_file: Path = Path("/var/log/nginx/edgetoll.log")
    log_format: Literal["nginx", "nginx-tsv"] = "nginx"
    roots_file: Path | None = None
    stop_list: Path = Path("suspended/domains.json")
    stop_topic: str = ""
    """The topic that billing publishes it to (`edgetoll.suspended.v1`): on another machine than
    billing's, `apply --watch` keeps `stop_list` at it, by the broker of `[edge.kafka]`.
    """
    accounts: Path = Path("suspended/accounts.jsonl")
    """What billing publishes of domains' owners, read before HTTPS is switched on."""
    facts: Path = Path("https-facts")
    """Where this edge's facts for billing go: a folder that both see."""
    mode: Literal["page", "close"] = "page"
    """How a stopped domain is refused: a page with status 403, or a closed handshake."""
    stopped_log: Literal["own", "billed"] = "own"
    stopped_log_file: Path | None = None
    cache_megabytes: int = Field(default=1024, ge=1)
    reload_seconds: float = Field(default=10, ge=0, le=600)
    """At most one reload in this time while `apply --watch` runs."""
    prove_seconds: float = Field(default=15, gt=0, le=600)
    """How long a change may take to be served before it is rolled back."""


class _Edge(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    edge_id: str = ""
    https: HttpsEdge = HttpsEdge()


def read_settings(home: Path) -> HttpsEdge:
    """`[edge.https]` of the home's settings; the defaults where there is no settings file."""
    if not (home / CONFIG_NAME).exists():
        return HttpsEdge()
    return section(home, "edge", _Edge).https


def read_edge_id(home: Path) -> str:
    """Under which id this edge tells billing: `edge_id` of `[edge]`, else `edge`."""
    if not (home / CONFIG_NAME).exists():
        return "edge"
    return section(home, "edge", _Edge).edge_id or "edge"
