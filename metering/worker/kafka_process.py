"""`edgetoll metering run --kafka`: wiring of a worker over partitions of a topic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.batch.signature import read_registry
from edge.durable import FileLock
from edge.terminal import warn
from metering.counting.json_events import JsonIntake
from metering.counting.json_trust import trust_of
from metering.counting.quarantine import Quarantine
from metering.settings import load
from metering.sources.kafka.settings import at_bootstrap, worker_name
from metering.sources.kafka.source import KafkaSource
from metering.worker.process import run_worker
from metering.worker.status import Drained

DRAIN_PATIENCE_S = 60.0


def run(
    home: Path,
    *,
    bootstrap: str | None = None,
    partitions: str | None = None,
    drain: bool = False,
    stop: Callable[[], bool] | None = None,
) -> Drained:
    """Count what Kafka holds: once with `drain`, else until `stop()` or SIGTERM.

    `partitions` such as `0-3` makes this worker one of several, each with its own store. Raises
    EdgetollError; the exit code says whether a supervisor should start it again.
    """
    settings = load(home)
    kafka = at_bootstrap(settings.kafka, bootstrap).below(home)
    name = worker_name(partitions)
    owner = "metering run --kafka" + (f" --partitions {partitions}" if partitions else "")
    with FileLock(home / f"metering{name}.lock", owner):
        source = KafkaSource(
            kafka, partitions, alarm=warn, patience_s=DRAIN_PATIENCE_S if drain else None
        )
        try:
            keep = Quarantine(home, settings.quarantine_bytes).keep
            registry = read_registry(home / settings.keys_file) if settings.keys_file else None
            trust = trust_of(settings, registry)
            messages = JsonIntake.for_topic(
                kafka.json_window_days, source.retention_ms, keep, trust
            )
        except BaseException:
            source.close()
            raise
        return run_worker(
            home, source, settings, drain=drain, messages=messages, stop=stop, name=name
        )
