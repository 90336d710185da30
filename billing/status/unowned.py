"""Traffic that nobody pays for: names that no account owned when they were asked for (CASES G8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

import sql
from billing.instants import aware, instant_text
from billing.status.facts import UnownedName, UnownedTraffic

SHARE_PERMILLE = 10
"""From this share of all requests on a person must look: a customer was not loaded."""
FAR = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Since:
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    domain: str
    requests: int
    all_unowned: int
    names: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Requests:
    requests: int


def lately(connection: duckdb.DuckDBPyConnection) -> UnownedTraffic:
    """Of the last month of imported hours, or of so many of them as take no time to read."""
    found = sql.row(connection.execute(sql.text("statements/status/status/unowned_since")), _Since)
    if found is None or found.since is None:
        return UnownedTraffic()
    since = aware(found.since)
    return between(connection, since, since + FAR)


def between(
    connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime
) -> UnownedTraffic:
    """Of the hours from `since` to before `until`."""
    span = {"since": instant_text(since), "until": instant_text(until)}
    result = connection.execute(sql.text("statements/status/status/unowned_names"), span)
    names = sql.rows(result, _Name)
    result = connection.execute(sql.text("statements/status/status/all_requests"), span)
    everything = sql.row(result, _Requests)
    return UnownedTraffic(
        since=since,
        requests=names[0].all_unowned if names else 0,
        all_requests=0 if everything is None else everything.requests,
        names=names[0].names if names else 0,
        largest=tuple(UnownedName(domain=one.domain, requests=one.requests) for one in names),
    )


def is_much(traffic: UnownedTraffic) -> bool:
    """Whether a person must look."""
    return traffic.requests * 1000 >= SHARE_PERMILLE * max(1, traffic.all_requests)


def lines(traffic: UnownedTraffic, *, most: int = 5) -> list[str]:
    """What to tell a person: how much, of which names, and how to own them; nothing: no lines."""
    if not traffic.requests:
        return []
    count = "1 name" if traffic.names == 1 else f"{traffic.names:,} names"
    requests = "1 request" if traffic.requests == 1 else f"{traffic.requests:,} requests"
    said = [
        f"Nobody pays for {requests} of {traffic.all_requests:,}: {count} that no account owns."
    ]
    shown = traffic.largest[:most]
    said += [f"  {one.domain or '(many small names)'}: {one.requests:,}" for one in shown]
    if traffic.names > len(shown):
        said.append(f"  … and {traffic.names - len(shown):,} more")
    named = next((one.domain for one in shown if one.domain), "NAME")
    said.append(
        f'To own one, load [[domains]] domain = "{named}", account = "ID":'
        " edgetoll billing load FILE"
    )
    return said


def traffic_document(traffic: UnownedTraffic) -> dict[str, object]:
    """The same for `--json`."""
    return {
        "since": traffic.since,
        "requests": traffic.requests,
        "all_requests": traffic.all_requests,
        "names": traffic.names,
        "largest": [
            {"domain": one.domain or None, "requests": one.requests} for one in traffic.largest
        ],
    }
