"""Section [metering] of edgetoll.toml. Every value has a default that runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from edge.configfile import section
from metering.hour import Expectation, Policy, to_ms
from metering.sources.kafka.settings import MeteringKafka


class ExpectedEdge(BaseModel):
    """`[[metering.expected_edges]]`: wait for this edge in each hour from `since` until `until`."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    edge: str
    region: str = "unknown"
    since: datetime
    until: datetime | None = None

    @field_validator("since", "until")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        """A time without a zone is UTC."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class JsonSource(BaseModel):
    """`[[metering.json_events.sources]]`: this source may report JSON events."""

    model_config = ConfigDict(extra="forbid")
    source: str = Field(min_length=1)
    domains: list[str] = Field(default_factory=list)
    """The names it may report, exact or `*.parent` for all below; none listed: any."""


class JsonEvents(BaseModel):
    """`[metering.json_events]`: who may send events one by one, without a signature."""

    model_config = ConfigDict(extra="forbid")
    enabled: bool = True
    """False: none is counted, whoever sends it."""
    sources: list[JsonSource] = Field(default_factory=list)
    """Where any is listed, or `keys_file` is set, only these may."""


class MeteringSettings(BaseModel):
    """How metering flushes, closes hours and bounds itself."""

    model_config = ConfigDict(extra="forbid")
    allowed_lateness_seconds: int = Field(default=120, ge=0)
    """How long after its end, by the wall clock, an hour stays open at least."""
    deadline_hours: float = Field(default=4, gt=0)
    """An edge without a promise for so long no longer holds an hour open: it is named missing."""
    revise_after_seconds: int = Field(default=600, ge=0)
    """Late usage is collected this long before it becomes a revision."""
    unproven_wait_seconds: int = Field(default=600, ge=0)
    """How long an hour stays open that only sources without a promise speak of (JSON messages)."""
    flush_seconds: float = Field(default=1.0, gt=0)
    """A transaction is committed about this often while events arrive."""
    catch_up_flush_seconds: float = Field(default=5.0, gt=0)
    """... or about this often while it catches up: while more waits to be read, and nothing read is
    of the last half minute. Fewer transactions, and nobody waits for what is older anyway."""
    flush_rows: int = Field(default=2_000_000, ge=1)
    """... or when so many counted rows have come together."""
    unowned_names_kept: int = Field(default=10_000, ge=0)
    """Of names no account owns, so many per hour keep their name; the rest is unattributed."""
    quarantine_bytes: int = Field(default=1 << 30, ge=0)
    """Raw bytes kept of what could not be read; beyond it the worker halts for a person."""
    memory_limit: str = Field(default="512MB", pattern=r"^[1-9]\d*(\.\d+)? ?[KMGT]i?B$")
    """What DuckDB may hold in memory before it spills to disk."""
    threads: int = Field(default=2, ge=1)
    """Threads of DuckDB."""
    kafka: MeteringKafka = Field(default_factory=MeteringKafka)
    """[metering.kafka]: how a worker reaches a broker and reads there."""
    keys_file: str = ""
    """Public keys of the edges (edge/batch/signature.py), relative to the home. Where named, a
    batch not signed by a key of its own edge goes to quarantine, and JSON events are counted of
    listed sources only."""
    json_events: JsonEvents = Field(default_factory=JsonEvents)
    expected_edges: list[ExpectedEdge] = Field(default_factory=list)

    def policy(self) -> Policy:
        """The part that decides about closing, in ms."""
        return Policy(
            lateness_ms=self.allowed_lateness_seconds * 1000,
            deadline_ms=round(self.deadline_hours * 3_600_000),
            revise_after_ms=self.revise_after_seconds * 1000,
            unproven_wait_ms=self.unproven_wait_seconds * 1000,
        )

    def expectations(self) -> list[Expectation]:
        """The edges the configuration names."""
        return [
            Expectation(
                edge_id=edge.edge,
                region=edge.region,
                from_ms=to_ms(edge.since),
                until_ms=None if edge.until is None else to_ms(edge.until),
            )
            for edge in self.expected_edges
        ]


def load(home: Path) -> MeteringSettings:
    """The settings of a home."""
    return section(home, "metering", MeteringSettings)
