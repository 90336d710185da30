"""Texts of messages of months long past: what was told of how an account stood.

A record of kind `messages_pruned` says before when. That a message was told, to whom and how it
went stays, and so does each state with its evidence. Texts that later commands read stay too:
those about documents, customers' alerts and TLS certificates. A message that still waits for its
receiver keeps its text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import duckdb

import sql
from billing.instants import instant_text, naive
from billing.prune.settings import month_start
from billing.store.journal import Record
from billing.store.store import Effects, Store
from edge.errors import Corrupt

KIND = "messages_pruned"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesDue:
    """Messages told before `before` whose texts may go."""

    before: datetime
    messages: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Totals:
    """What goes, as the store and the record state it."""

    messages: int
    bytes: int


def due(store: Store, *, months: int, at: datetime) -> MessagesDue | None:
    """Messages of more than `months` months ago whose texts may go; None where there is none."""
    before = month_start(at, months=months)
    found = _totals(store.connection, naive(before))
    if not found.messages:
        return None
    return MessagesDue(before=before, messages=found.messages, bytes=found.bytes)


def _totals(connection: duckdb.DuckDBPyConnection, before: datetime) -> _Totals:
    totals = sql.text("statements/prune/messages/texts_to_go")
    found = connection.execute(totals, {"before": before})
    return sql.rows(found, _Totals)[0]


def prune(store: Store, wanted: MessagesDue, *, at: datetime) -> int:
    """Take the texts out of the store by a record, whose number is returned."""
    totals = asdict(_totals(store.connection, naive(wanted.before)))
    effect = {"told_before": instant_text(wanted.before), **totals}
    return store.commit(KIND, {"messages": effect}, at=at)


def apply_pruned(connection: duckdb.DuckDBPyConnection, record: Record, effects: Effects) -> None:
    """Take the texts of the messages before the record's time out of the outbox."""
    stated = effects["messages"]
    before = datetime.fromisoformat(stated["told_before"])
    found = _totals(connection, before)
    if found != _Totals(messages=stated["messages"], bytes=stated["bytes"]):
        raise Corrupt(
            f"journal record {record.number} prunes other messages than there are: {found}",
            "run edgetoll check",
        )
    told = {"before": before}
    connection.execute(sql.text("statements/prune/messages/drop_texts"), told)
    connection.execute(
        sql.text("statements/prune/messages/note_texts"),
        {**told, "messages": found.messages, "journal_no": record.number},
    )
