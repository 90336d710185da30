"""Kafka as a Source: manual assign and seek from the positions the store holds (DESIGN 3.4).

Nothing is ever skipped: a position Kafka does not have, a topic made again, a record whose CRC is
wrong all end the worker with a line that says what to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from edge.errors import Corrupt, EdgetollError
from edge.kafka.link import hush, why
from metering.sources.kafka.offsets import (
    LostPosition,
    retention_alarm,
    start_offsets,
    stuck,
    transaction_alarm,
)
from metering.sources.kafka.reader import Reader
from metering.sources.kafka.settings import MeteringKafka, chosen_partitions
from metering.sources.kafka.units import KafkaPosition, partition_name, source_name
from metering.sources.source import Covered, SourceBatch, SourceState

COMMIT_EVERY_S = 5.0
ALARM_EVERY_S = 60.0
SLICE_S = 0.05


class Stuck(EdgetollError):
    """The client stands still while the broker has more; the process ends, to be restarted."""

    exit_code = 70


class Unreachable(EdgetollError):
    """No broker answers; nothing is lost, trying again later is right."""

    exit_code = 75


class KafkaSource:
    """Reads chosen partitions of one topic (a Source)."""

    def __init__(
        self,
        settings: MeteringKafka,
        partitions: str | None,
        *,
        alarm: Callable[[str], None],
        patience_s: float | None = None,
    ) -> None:
        """Connect. `patience_s` bounds waiting for a broker (a drain); None waits for ever."""
        hush()
        self.settings = settings
        self._alarm = alarm
        self._patience_s = patience_s
        self._reader = Reader(settings)
        try:
            self._connect()
            self._numbers = chosen_partitions(partitions, self._reader.partition_count)
        except BaseException:
            self._reader.close()
            raise
        self._committed_at = 0.0
        self._alarmed_at = time.monotonic()
        self._probed_at = time.monotonic()
        self._to_commit: dict[int, int] = {}

    def _connect(self) -> None:
        began = time.monotonic()
        pause, said = 0.2, ""
        while True:
            try:
                self._reader.call(self._reader.connect(), 60.0)
                return
            except EdgetollError:
                raise
            except Exception as error:
                text = why(error)
                waited = time.monotonic() - began
                if self._patience_s is not None and waited > self._patience_s:
                    raise Unreachable(
                        f"Kafka at {self.settings.bootstrap} does not answer: {text}",
                        "start it, or correct [metering.kafka] in edgetoll.toml",
                    ) from error
                if text != said:
                    self._alarm(f"Kafka at {self.settings.bootstrap}: {text}; trying again")
                    said = text
                time.sleep(pause)
                pause = min(pause * 2, 10.0)

    @property
    def retention_ms(self) -> int:
        """How long the topic keeps records; -1: for ever."""
        return self._reader.retention_ms

    def partitions(self) -> tuple[str, ...]:
        """`000` and so on."""
        return tuple(partition_name(number) for number in self._numbers)

    def seek(self, positions: Mapping[str, str]) -> None:
        """Continue after these positions; raises LostPosition when Kafka no longer can."""
        stored: dict[int, KafkaPosition] = {}
        known = {source_name(self.settings.topic, number): number for number in self._numbers}
        for source, text in positions.items():
            if source not in known:
                raise Corrupt(
                    f"the store has read {source}, which this worker does not",
                    f"run it with its own topic and partitions, not {self.settings.topic}",
                )
            stored[known[source]] = KafkaPosition.from_text(text)
        reader = self._reader
        starts = start_offsets(
            self.settings.topic,
            reader.topic_id,
            reader.call(reader.spans(self._numbers), 60.0),
            stored,
            reread=self.settings.on_lost_position == "reread",
        )
        reader.call(reader.begin(starts), 60.0)

    def fetch(self, max_batches: int, timeout_s: float) -> list[SourceBatch]:
        """Up to `max_batches` units; raises what no waiting can mend."""
        # A drain asks with no patience: it would spin while the first fetch is under way.
        wait = timeout_s if timeout_s > 0 or self.caught_up() else SLICE_S
        try:
            taken = self._reader.take(max_batches, wait)
        except EdgetollError:
            raise
        except Exception as error:
            raise self._ended(error) from error
        self._watch()
        return taken

    def _ended(self, error: Exception) -> EdgetollError:
        from aiokafka.errors import CorruptRecordException, OffsetOutOfRangeError

        topic = self.settings.topic
        if isinstance(error, OffsetOutOfRangeError):
            return LostPosition(
                f"Kafka no longer has the offset to read next of {topic}: {error}",
                "never skipped: see «Lost positions» in docs/kafka.md",
            )
        if isinstance(error, CorruptRecordException):
            return Corrupt(
                f"a record of {topic} fails its CRC: {error}",
                "not skipped: check the broker's disk and network, then start the worker again",
            )
        return Stuck(
            f"reading {topic} ended: {type(error).__name__}: {error}",
            "the worker ends; its supervisor starts it again, from what is stored",
        )

    def caught_up(self) -> bool:
        """Whether everything the broker had at the last fetch has been handed out."""
        reader = self._reader
        places = reader.places
        known = len(places) == len(self._numbers)
        return (
            known
            and reader.empty
            and all(place.stable >= 0 and place.behind == 0 for place in places.values())
        )

    def end_positions(self) -> dict[str, str]:
        """The end of each partition, as the broker told last."""
        return {
            source_name(self.settings.topic, number): KafkaPosition(
                topic_id=self._reader.topic_id, offset=place.stable
            ).to_text()
            for number, place in self._reader.places.items()
            if place.stable >= 0
        }

    def states(self) -> list[SourceState]:
        """A partition is no edge's own; edges that fall silent are seen by their promise."""
        return []

    def acknowledge(self, covered: Mapping[str, Covered]) -> None:
        """Kafka forgets by retention alone; nobody has to be told."""

    def committed(self, positions: Mapping[str, str]) -> None:
        """Every few seconds, tell Kafka the committed offsets: for people and monitors only."""
        for source, text in positions.items():
            number = int(source.rpartition(":")[2])
            self._to_commit[number] = KafkaPosition.from_text(text).offset
        now = time.monotonic()
        if now - self._committed_at >= COMMIT_EVERY_S:
            self._committed_at = now
            self._send_commit()

    def _send_commit(self, wait_s: float = 0.0) -> None:
        offsets, self._to_commit = self._to_commit, {}
        if not offsets:
            return
        work = self._reader.commit(offsets)
        if wait_s:
            with suppress(Exception):
                self._reader.call(work, wait_s)
        else:
            self._reader.post(work)

    def close(self) -> None:
        """Write the last commit, end the connections."""
        self._send_commit(3.0)
        self._reader.close()

    def _watch(self) -> None:
        """Alarms once a minute; a client without progress is held against a fresh one."""
        now = time.monotonic()
        if now - self._alarmed_at >= ALARM_EVERY_S:
            self._alarmed_at = now
            for line in self.alarms(time.time_ns() // 1_000_000):
                self._alarm(line)
        idle = now - max(self._reader.progress_at, self._probed_at)
        if self._reader.empty and idle >= self.settings.stuck_after_seconds:
            self._probe()
            self._probed_at = time.monotonic()

    def alarms(self, now_ms: int) -> list[str]:
        """What a person should know now: retention near, records behind an open transaction."""
        topic, reader = self.settings.topic, self._reader
        newest = reader.newest_ms
        lines = []
        for number, place in reader.places.items():
            late = retention_alarm(
                topic, number, now_ms - newest.get(number, now_ms), reader.retention_ms
            )
            lines.append(late if place.behind or not reader.empty else None)
            lines.append(transaction_alarm(topic, place))
        return [line for line in lines if line is not None]

    def _probe(self) -> None:
        reader = self._reader
        try:
            ends = reader.call(reader.probe(self._numbers), 30.0)
        except TimeoutError:
            ends = None
        if ends is None:
            waited = time.monotonic() - reader.progress_at
            if self._patience_s is not None and waited > self._patience_s:
                raise Unreachable(
                    f"Kafka at {self.settings.bootstrap} has not answered for {waited:.0f} s",
                    "start it and run the command again: nothing is counted twice",
                )
            self._alarm(f"Kafka at {self.settings.bootstrap} does not answer; waiting for it")
            return
        reached = {number: place.reached for number, place in reader.places.items()}
        problem = stuck(self.settings.topic, reached, ends)
        if problem is not None and reader.empty:
            raise Stuck(
                f"the Kafka client is stuck: {problem}",
                "the worker ends; its supervisor starts it again, from what is stored",
            )
