"""The worker: fetch, count, commit, publish, close. A synchronous loop over any Source.

    fetch -> Intake (columns) -> Flush -> one transaction -> live/ and status -> closing rounds

It works out nothing itself: what a batch becomes is intake's, which hours close is closing's, how
they are written is closer's. `clock` gives UTC ms by the wall clock; tests decide it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import duckdb

from edge.batch.signature import read_registry
from edge.crash_point import crash_point
from edge.errors import Corrupt
from edge.terminal import warn
from metering.counting.batches import Intake
from metering.counting.flush import Flush, MessageIntake, Names
from metering.counting.quarantine import Quarantine
from metering.counting.records import ACCEPTED_BATCHES
from metering.hours import when_to_close
from metering.hours.checkpoint import newest_generation
from metering.hours.closer import Closer, open_hours
from metering.hours.recovery import recover, set_aside, take
from metering.hours.requests import RequestBook, Requests
from metering.hours.unread import UnreadSource, unread_sources
from metering.hours.when_to_close import Plan, Standing, View
from metering.settings import MeteringSettings
from metering.sources.source import Source
from metering.store.faults import as_one_line, can_pass, first_line
from metering.store.fencing import fenced
from metering.store.records import PartitionState
from metering.store.store import UsageStore
from metering.worker.live import Live
from metering.worker.owned import OwnedPartition, Times
from metering.worker.status import Drained, Moment

FETCH_BATCHES = 512
COMPACT_ROWS, COMPACT_ROWS_FRESH = 2_000_000, 200_000
"""So many rows more than twice those of the last time are added up by key: soon, where each
publishing adds them up again, and late where nobody looks."""
FRESH_MS = 30_000
"""Nobody waits at a screen for what is older."""
PUBLISH_MS, PUBLISH_BEHIND_MS = 300, 1000
"""live/ is replaced no sooner than this: somebody looks at what is new, nobody at what is old."""
PUBLISH_PAUSE, PUBLISH_PAUSE_BEHIND = 2, 10
"""From one publishing to the next, in times of what it took: half the time, or a tenth behind."""
WAIT_MS = 200
"""So long a fetch waits at most."""
SEEN_SOON_MS = 200
"""What was counted longer ago is committed before it is published."""


class Worker:
    """Owns the partitions of one source and the store that counts them."""

    def __init__(
        self,
        home: Path,
        source: Source,
        settings: MeteringSettings,
        *,
        clock: Callable[[], int],
        messages: MessageIntake | None = None,
        store_name: str = "usage.duckdb",
    ) -> None:
        self.home = home
        self.source = source
        self.settings = settings
        self.policy = settings.policy()
        self.clock = clock
        self.messages = messages
        self.quarantine = Quarantine(home, settings.quarantine_bytes)
        self.names = Names()
        keys = settings.keys_file
        self.registry = read_registry(home / keys) if keys else None
        self.store = self._open_store(home / store_name)
        kept = settings.unowned_names_kept
        self.requests = RequestBook(home)
        windows = (ACCEPTED_BATCHES, *(messages.windows if messages is not None else ()))
        self.closer = Closer(home, self.store, names_kept=kept, windows=windows)
        self.live = Live(home, self.store, policy=self.policy, names_kept=kept)
        self._partitions: dict[str, OwnedPartition] = {}
        self._times = Times()
        self._caught_up_once = False

    def _open_store(self, path: Path) -> UsageStore:
        """The store; a damaged one is set aside, since it can be rebuilt (FAULTS C16)."""
        limits = self.settings
        try:
            return UsageStore(path, memory_limit=limits.memory_limit, threads=limits.threads)
        except Corrupt:
            set_aside(path, self.clock())
            return UsageStore(path, memory_limit=limits.memory_limit, threads=limits.threads)

    def start(self) -> None:
        """Take every partition, bring the store to its newest checkpoint, seek the source."""
        try:
            self._recover()
        except duckdb.Error:
            self.store.close()
            set_aside(self.store.path, self.clock())
            self.store.reopen()
            self._recover()
        self._seek()
        self._times.flushed = self.clock()

    def _recover(self) -> None:
        known = {name: self.store.load(name).generation for name in self.source.partitions()}
        for partition, generation in take(self.home, known).items():
            self._adopt(recover(self.home, self.store, partition, generation))

    def _adopt(self, state: PartitionState) -> None:
        flush = Flush(partition=state.partition, names=self.names)
        rows = self.store.usage_rows(state.partition)
        self._partitions[state.partition] = OwnedPartition(
            state=state,
            flush=flush,
            intake=self._intake(state, flush),
            rows=rows,
            base_rows=rows,
        )

    def _seek(self) -> None:
        stored: dict[str, str] = {}
        for owned in self._partitions.values():
            stored.update({name: place.position for name, place in owned.state.positions.items()})
        self.source.seek(stored)

    def reload(self) -> None:
        """Forget what is not stored and go on from what is: after an error in a transaction."""
        for partition in list(self._partitions):
            self._adopt(self.store.load(partition))
        self._seek()

    def step(self, timeout_s: float) -> int:
        """Fetch once and count; commit when it is time. The number of units read."""
        batches = self.source.fetch(FETCH_BATCHES, timeout_s)
        now = self.clock()
        for batch in batches:
            owned = self._partitions[batch.partition]
            if batch.messages is None:
                owned.intake.take(batch, now)
            elif self.messages is not None:
                self.messages.take(owned.flush, batch, now)
            else:
                raise Corrupt(
                    f"{batch.source} holds single messages, this worker reads batches only",
                    "read that topic with `metering run --kafka`",
                )
            # Names weigh as much as rows: a flood of random ones is flushed before it fills memory.
            if self.names.many or owned.flush.rows >= self.settings.flush_rows:
                self.flush()
        rows = sum(owned.flush.rows for owned in self._partitions.values())
        if rows >= self.settings.flush_rows or self._flush_due(now):
            self.flush()
        return len(batches)

    def _flush_due(self, now: int) -> bool:
        """Whether it is time to commit: sooner when somebody may wait to see it."""
        waited = now - self._times.flushed
        if waited < self.settings.flush_seconds * 1000:
            return False
        if waited >= self.settings.catch_up_flush_seconds * 1000:
            return True
        crowded = any(owned.flush.crowded for owned in self._partitions.values())
        return crowded or self._fresh(now) or self.source.caught_up()

    def _fresh(self, now: int) -> bool:
        """Whether what was counted last speaks of the last half minute."""
        waiting = [owned.flush.newest_ms for owned in self._partitions.values()]
        return max([self._times.newest, *waiting]) >= now - FRESH_MS

    def flush(self) -> None:
        """Commit what was counted, all partitions in one transaction, and read it back."""
        now = self.clock()
        self._times.flushed = now
        full = [owned for owned in self._partitions.values() if not owned.flush.empty]
        if not full:
            return
        self._times.newest = max(owned.flush.newest_ms for owned in full)
        for owned in full:
            owned.intake.settle()
        self.store.write(
            [(owned.flush, owned.state) for owned in full],
            None if self.messages is None else partial(self.messages.settle, now_ms=now),
        )
        for owned in full:
            positions = owned.flush.positions
            self.source.committed({name: at.position for name, at in positions.items()})
        self.names = self.names.fresh()
        for owned in full:
            owned.rows += owned.flush.rows_written
            self._renew(owned)
            self._compact(owned)
        for owned in self._partitions.values():
            if owned.flush.empty:
                owned.flush.names = self.names

    def _renew(self, owned: OwnedPartition) -> None:
        """An empty flush for what comes next; the partition's sums as they are stored now."""
        flush = owned.flush
        state = owned.state
        state.batches.add(flush.batches)
        state.events.add(flush.events)
        state.duplicate_since += flush.events.duplicate
        state.quarantined_since += flush.events.quarantined
        owned.flush = Flush(partition=state.partition, names=self.names)
        owned.intake = self._intake(state, owned.flush)

    def _intake(self, state: PartitionState, flush: Flush) -> Intake:
        return Intake(
            partition=state.partition,
            edges=state.edges,
            flush=flush,
            digests=self.store,
            keep=self.quarantine.keep,
            registry=self.registry,
        )

    def _compact(self, owned: OwnedPartition) -> None:
        """Add up the rows of each key once they are twice as many as after the last time."""
        more = COMPACT_ROWS_FRESH if self._fresh(self.clock()) else COMPACT_ROWS
        if owned.rows < 2 * owned.base_rows + more:
            return
        partition = owned.state.partition
        self.store.compact_usage(partition)
        owned.rows = owned.base_rows = self.store.usage_rows(partition)

    def close_due(self, *, final: bool = False) -> int:
        """Write every certificate that is due; the number of them. Flushes first."""
        self.flush()
        written = 0
        asked = self.requests.all()
        for partition in list(self._partitions):
            while True:
                state = self._partitions[partition].state
                now = self.clock()
                usage = self._usage_hours(self._partitions[partition])
                view, standings = self._view(state, asked, usage)
                plan = when_to_close.plan(view, now_ms=now, policy=self.policy, final=final)
                if not plan.closings:
                    break
                self.closer.close(state, plan, standings, now)
                written += self._after_round(partition, plan)
        return written

    def _after_round(self, partition: str, plan: Plan) -> int:
        before = self._partitions[partition].state.certificate_no
        state = self.store.load(partition)
        self._adopt(state)
        self.source.acknowledge(dict(state.positions))
        crash_point("after_acknowledge")
        return state.certificate_no - before

    def _unread(self, state: PartitionState) -> tuple[UnreadSource, ...]:
        return unread_sources(self.source.states(), state.edges, self.requests.all().retired)

    def _view(
        self, state: PartitionState, asked: Requests, usage: Mapping[int, int]
    ) -> tuple[View, list[Standing]]:
        standings = when_to_close.standings(
            state.edges,
            [*self.settings.expectations(), *asked.expected],
            asked.retired,
            now_ms=self.clock(),
            deadline_ms=self.policy.deadline_ms,
            unread={one.edge_id: one.since_ms for one in self._unread(state)},
        )
        view = View(
            usage_hours=usage, closed=state.closed, standings=standings, waivers=asked.waivers
        )
        return view, standings

    def _usage_hours(self, owned: OwnedPartition) -> dict[int, int]:
        """Requests of each hour that is not written yet: asked again after a flush or a round."""
        self._look_up_hours([owned])
        return owned.open_hours

    def _look_up_hours(self, those: Iterable[OwnedPartition]) -> None:
        """One question for all of them whose open hours may have changed."""
        changed = {one.state.partition: one for one in those if one.open_at != one.stored_at}
        found = open_hours(self.store, *changed) if changed else ()
        for owned in changed.values():
            owned.open_hours, owned.open_at = {}, owned.stored_at
        for hour in found:
            changed[hour.partition].open_hours[hour.hour_ms] = hour.requests

    def _publish_at(self, now: int) -> int:
        """When the live files are to be replaced next."""
        cost = self._times.publish_cost
        wait = max(PUBLISH_BEHIND_MS, PUBLISH_PAUSE_BEHIND * cost)
        if self._fresh(now):
            wait = max(PUBLISH_MS, PUBLISH_PAUSE * cost)
        return self._times.published + wait

    def publish(self, *, force: bool = False) -> None:
        """Replace the live files, some three times a second while what is counted is new."""
        now = self.clock()
        if not force and now < self._publish_at(now):
            return
        self._owned_still()
        if self._fresh(now) and now - self._times.flushed >= SEEN_SOON_MS:
            self.flush()
        asked = self.requests.all()
        self._look_up_hours(self._partitions.values())
        moments = []
        for owned in self._partitions.values():
            usage = self._usage_hours(owned)
            view, _ = self._view(owned.state, asked, usage)
            moments.append(
                Moment(
                    state=owned.state,
                    view=view,
                    open_requests=usage,
                    unread=self._unread(owned.state),
                )
            )
        self.live.publish(moments, now)
        self._times.published = now
        self._times.publish_cost = self.clock() - now

    def _owned_still(self) -> None:
        """Stop as soon as another worker has taken a partition, also where nothing closes."""
        for partition, owned in self._partitions.items():
            if newest_generation(self.home, partition) > owned.state.generation:
                raise fenced(partition, owned.state.generation)

    def drain(self) -> Drained:
        """Read everything durable, close what can be closed, publish; what a person must know."""
        before = self._refused()
        while True:
            read = self.step(0.0)
            if read == 0 and self.source.caught_up():
                break
        self.close_due(final=True)
        self.publish(force=True)
        unread = (one for owned in self._partitions.values() for one in self._unread(owned.state))
        return Drained(refused=self._refused() - before, unread=tuple(unread))

    def _refused(self) -> int:
        """Events in quarantine so far, or batches where those held none."""
        states = [owned.state for owned in self._partitions.values()]
        return sum(max(one.events.quarantined, one.batches.quarantined) for one in states)

    def run(self, stop: Callable[[], bool], pause: Callable[[float], None]) -> None:
        """Work until `stop()`; a full disk pauses the worker, which resumes by itself.

        What cannot pass ends it: an error that would come again at each try is no reason to wait.
        """
        broken = False
        while not stop():
            try:
                if broken:
                    self.store.reopen()
                    self.reload()
                    broken = False
                self._turn()
            except Exception as error:
                if not can_pass(error):
                    raise as_one_line(error) from error
                warn(f"metering pauses: {first_line(error)}")
                broken = True
                pause(1.0)
        if not broken:
            self.flush()
            self.publish(force=True)

    def _turn(self) -> None:
        """Once round the loop: waiting for what comes never puts off what is to be published."""
        now = self.clock()
        self.step(min(WAIT_MS, max(0, self._publish_at(now) - now)) / 1000)
        if self.source.caught_up():
            self._caught_up_once = True
        # Until all was read once, an edge nobody knows may turn up with usage (decision 0305).
        if self._caught_up_once and self._round_due():
            self.close_due()
        self.publish()

    def _round_due(self) -> bool:
        """Closing is looked at once a second at most."""
        now = self.clock()
        if now - self._times.looked_at_closing < 1000:
            return False
        self._times.looked_at_closing = now
        return True

    def stop(self) -> None:
        """Release the store and the source."""
        self.store.close()
        self.source.close()
