"""The nouns of hours that all of metering shares: UTC ms, what is expected, what is closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from metering.closed import HourState

HOUR_MS = 3_600_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long to wait, in ms. See MeteringSettings for what each means."""

    lateness_ms: int
    deadline_ms: int
    revise_after_ms: int
    unproven_wait_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """An edge is to be waited for in hours from `from_ms` until `until_ms` (None: for ever)."""

    edge_id: str
    region: str
    from_ms: int
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedState:
    """What is known of an hour that is closed: its newest revision and state, when it was written.

    `requests`, `late` and `missing` are what its certificates say, all revisions together.
    """

    revision: int
    state: HourState
    closed_ms: int
    empty_since_ms: int | None = None
    requests: int = 0
    late: int = 0
    missing: tuple[str, ...] = ()

    def begins_ms(self, hour_ms: int) -> int:
        """The start of what its certificate speaks of: the hour, or the empty run it ends."""
        return hour_ms if self.empty_since_ms is None else self.empty_since_ms


class ClosedHours(Mapping[int, ClosedState]):
    """The closed hours of a partition by their start (UTC ms). Never changed once made.

    `runs` are the stretches without a hole that they cover, as (start, end), and `incomplete` the
    hours that may still become complete: a decision looks at these few, not at years of hours.
    """

    def __init__(self, states: Mapping[int, ClosedState]) -> None:
        self._states = dict(states)
        self.runs = tuple(_merged(self._states))
        self.incomplete = frozenset(
            hour for hour, known in self._states.items() if known.state == "incomplete"
        )

    def __getitem__(self, hour_ms: int) -> ClosedState:
        return self._states[hour_ms]

    def __iter__(self) -> Iterator[int]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, hour_ms: object) -> bool:
        return hour_ms in self._states

    @property
    def last_ms(self) -> int | None:
        """The start of the newest closed hour."""
        return self.runs[-1][1] - HOUR_MS if self.runs else None


def _merged(states: Mapping[int, ClosedState]) -> Iterator[tuple[int, int]]:
    """The stretches that `states` cover, rising, those that touch or overlap as one."""
    stretches = sorted((known.begins_ms(hour), hour + HOUR_MS) for hour, known in states.items())
    if not stretches:
        return
    begin, end = stretches[0]
    for start, stop in stretches[1:]:
        if start > end:
            yield begin, end
            begin = start
        end = max(end, stop)
    yield begin, end


def hour_of(time_ms: int) -> int:
    """The start of the hour that holds `time_ms`, both UTC ms."""
    return time_ms // HOUR_MS * HOUR_MS


def time_of(ms: int) -> datetime:
    """UTC ms as an aware time."""
    return _EPOCH + timedelta(milliseconds=ms)


def time_text(ms: int) -> str:
    """UTC ms as RFC 3339 with milliseconds."""
    return time_of(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_ms(time: datetime) -> int:
    """An aware time as UTC ms, exactly."""
    passed = time - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1000 + passed.microseconds // 1000
