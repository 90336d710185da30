"""Which signals stand, from the facts of a home: a pure decision, the one list of findings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from billing.balance.grace_clock import NOTHING_RATED
from billing.instants import aware, aware_or_none, minute_text
from billing.status import signals, unowned
from billing.status.facts import BillingFact, EdgeFact, HomeFacts, MeteringFact, StoreFacts
from billing.status.signals import Finding, Signal
from billing.status.unissued import unissued_lines
from edge.terminal import many

SILENT_EDGE = timedelta(hours=6)
"""Two hours after the deadline at which its hours close without it."""
SILENT_WORKER = timedelta(minutes=5)
LONG_OPEN = timedelta(hours=8)
CHECK_DAYS = timedelta(days=2)
RATING_BEHIND = timedelta(hours=3)
CLOCK_APART = timedelta(minutes=5)


def findings(facts: HomeFacts) -> tuple[Finding, ...]:
    """What stands now, in the order of the list of signals."""
    found = [
        *(one for edge in facts.edges for one in _edge(edge, facts.at)),
        *_silence(facts),
        *_metering(facts.metering, facts.at),
        *_checks(facts),
    ]
    if facts.newest_record is not None and facts.newest_record - facts.at > CLOCK_APART:
        what = f"the newest record is of {minute_text(facts.newest_record)}"
        found.append(
            _found(signals.CLOCK_BEHIND, 1, f"{what}, the clock says {minute_text(facts.at)}")
        )
    for line in facts.exposed:
        found.append(_found(signals.HOME_EXPOSED, 1, line))
    if facts.prices is not None:
        found.append(_found(signals.PRICES_REFUSED, 1, facts.prices))
    if facts.https:
        found.append(_found(signals.HTTPS_NOT_SERVED, 1, facts.https))
    if facts.unreadable is not None:
        found.append(_found(signals.BILLING_UNREADABLE, 1, facts.unreadable))
    if facts.store is not None:
        found += _store(facts.store)
        found += _behind(facts.store.billing, facts.metering)
        moved = aware_or_none(facts.store.billing.newest_transfer)
        if moved is not None and moved - facts.at > CLOCK_APART:
            what = f"money moved as of {minute_text(moved)}, {minute_text(facts.at)} by the clock"
            found.append(_found(signals.RECORDED_AHEAD, 1, what))
    order = {one.name: number for number, one in enumerate(signals.SIGNALS)}
    return tuple(sorted(found, key=lambda one: order[one.signal.name]))


def _found(signal: Signal, count: int, what: str) -> Finding:
    return Finding(signal=signal, count=count, what=what)


def _edge(edge: EdgeFact, now: datetime) -> Iterator[Finding]:
    for problem in edge.problems:
        yield _found(signals.EDGE_PROBLEM, 1, f"{edge.edge_id}: {problem}")
    is_expected = edge.is_metered and (edge.expected_until is None or edge.expected_until > now)
    if is_expected and (edge.promise is None or now - edge.promise > SILENT_EDGE):
        since = "ever" if edge.promise is None else f"since {minute_text(edge.promise)}"
        yield _found(signals.EDGE_SILENT, 1, f"{edge.edge_id} has made no promise {since}")
    if edge.refused:
        yield _found(
            signals.EDGE_REFUSED, edge.refused, f"{edge.edge_id}: {_lines(edge.refused)} refused"
        )
    if edge.gaps:
        holes = "a hole" if edge.gaps == 1 else f"{edge.gaps} holes"
        yield _found(signals.SEQUENCE_GAP, edge.gaps, f"{edge.edge_id}: {holes} in its batches")


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"


def _silence(facts: HomeFacts) -> Iterator[Finding]:
    """Whether something waits to be counted and nobody counts."""
    metering = facts.metering
    unread = [edge.edge_id for edge in facts.edges if edge.unread_bytes]
    waits = f", and {', '.join(unread[:3])} has something to be read" if unread else ""
    if metering.fresh_at is None:
        if unread:
            yield _found(signals.METERING_SILENT, 1, f"no worker has run yet{waits}")
    elif facts.at - metering.fresh_at > SILENT_WORKER and (unread or metering.is_live):
        since = minute_text(metering.fresh_at)
        yield _found(signals.METERING_SILENT, 1, f"a worker is silent since {since}{waits}")


def _metering(metering: MeteringFact, now: datetime) -> Iterator[Finding]:
    for unread in metering.unread:
        yield _found(signals.EDGE_UNREAD, 1, unread)
    for alarm in metering.alarms:
        yield _found(signals.METERING_ALARM, 1, alarm)
    if not metering.adds_up:
        yield _found(signals.NOT_CONSERVED, 1, "read is not accepted + duplicate + quarantined")
    if metering.quarantined:
        what = f"{metering.quarantined:,} records of {metering.accepted:,} were not counted"
        yield _found(signals.QUARANTINE, metering.quarantined, what)
    if metering.oldest_open is not None and now - metering.oldest_open > LONG_OPEN:
        since = minute_text(metering.oldest_open)
        yield _found(signals.HOUR_OPEN_LONG, 1, f"the hour of {since} is still open")


def _checks(facts: HomeFacts) -> Iterator[Finding]:
    for one in facts.checks.red:
        yield _found(signals.CHECK_RED, 1, f"{one.check}: {one.found}")
    if facts.store is None or facts.store.billing.last_run is None:
        return
    last = facts.checks.full_at
    if last is None or facts.at - last > CHECK_DAYS:
        since = "was never run" if last is None else f"was last run {minute_text(last)}"
        yield _found(signals.CHECK_OLD, 1, f"the full check {since}")


def _store(store: StoreFacts) -> Iterator[Finding]:
    yield from _hours(store)
    billing = store.billing
    if billing.held_run is not None:
        what = f"run {billing.held_run}: {billing.held_reason}"
        yield _found(signals.RUN_HELD, 1, what)
    for line in store.overrides:
        yield _found(signals.OVERRIDE_OF_NOBODY, 1, line)
    for line in unissued_lines(store.unissued):
        yield _found(signals.MONTH_UNISSUED, 1, line)
    traffic = store.unowned
    if traffic.requests:
        signal = signals.UNOWNED if unowned.is_much(traffic) else signals.UNOWNED_FEW
        largest = ", ".join(one.domain or "(many small names)" for one in traffic.largest[:3])
        what = f"{traffic.requests:,} of {traffic.all_requests:,} requests: {largest}"
        yield _found(signal, traffic.requests, what)
    for line in store.expiring:
        yield _found(signals.TLS_EXPIRING, 1, line)
    for line in store.https_facts:
        yield _found(signals.HTTPS_FACTS, 1, line)
    for one in store.endpoints:
        signal = signals.DELIVERY_FAILING if one.off_since is None else signals.ENDPOINT_OFF
        yield _found(signal, max(1, one.waiting + one.given_up), one.words())


def _behind(billing: BillingFact, metering: MeteringFact) -> Iterator[Finding]:
    """Whether hours are closed that no run has rated; a held run says so itself."""
    ends = [aware_or_none(billing.imported_through), metering.complete_through]
    closed = max((end for end in ends if end is not None), default=None)
    if closed is None or billing.held_run is not None:
        return
    rated = aware_or_none(billing.rated_through)
    if rated is None or closed - rated > RATING_BEHIND:
        since = "nothing" if rated is None else minute_text(rated)
        what = f"closed through {minute_text(closed)}, rated through {since}"
        yield _found(signals.RATING_BEHIND, 1, what)


def _hours(store: StoreFacts) -> Iterator[Finding]:
    if store.incomplete:
        first = store.incomplete[0]
        hours = many(len(store.incomplete), "hour")
        what = f"{hours}, the first {minute_text(aware(first.hour))} without {first.missing}"
        yield _found(signals.HOUR_INCOMPLETE, len(store.incomplete), what)
    billing = store.billing
    if billing.too_old_files and billing.too_old_first is not None:
        files = "1 file" if billing.too_old_files == 1 else f"{billing.too_old_files} files"
        since = minute_text(aware(billing.too_old_first))
        requests = (
            "1 request"
            if billing.too_old_requests == 1
            else f"{billing.too_old_requests:,} requests"
        )
        what = f"{files}, {requests}, from {since}"
        yield _found(signals.HOUR_TOO_OLD, billing.too_old_files, what)
    if billing.unpriced_hours and billing.unpriced is not None:
        yield _found(signals.HOUR_UNPRICED, billing.unpriced_hours, billing.unpriced)


def unverified(reasons: str | None) -> str | None:
    """Why nobody is suspended now, but for a home in which nothing has been rated yet: that is no
    illness (CASES P6).
    """
    kept = [one for one in (reasons or "").split("; ") if one and one != NOTHING_RATED]
    return "; ".join(kept) or None
