"""Runs of `billing rate` for tests: in this process, or in one of its own that is killed at a named
place.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from billing.accounts.owned_names import OWNED_NAMES, publish_owned_domains
from billing.appliers import open_store
from billing.follow_up import follow_up
from billing.lake import publish
from billing.ledger import transfers
from billing.outbox import stop_list
from billing.prices import load_books
from billing.runs import run
from billing.runs.settings import read_settings
from examples.commands import StartedCommand
from tests import forked
from tests.billing.homes import NOW


def rate(home: Path, *, at: datetime = NOW, **more: Any) -> run.RunOutcome:
    """What `edgetoll billing rate --as-of AT` does."""
    books = load_books(home / "prices")
    settings = read_settings(home)
    with open_store(home, owner="billing rate", now=at) as store:
        done = run.rate(store, books=books, settings=settings, at=at, **more)
        follow_up(store, at=at, record=done.journal_no)
    return done


def posted(home: Path, *, at: datetime = NOW, **more: Any) -> run.RunOutcome:
    """The run alone, without what follows it: where a test is about charges and nothing else."""
    books = load_books(home / "prices")
    settings = read_settings(home)
    with open_store(home, owner="billing rate", now=at) as store:
        return run.rate(store, books=books, settings=settings, at=at, **more)


def published(home: Path) -> Path:
    """`home` with its lake, as every command leaves it that writes a record."""
    with open_store(home, owner="test", now=NOW) as store:
        stop_list.publish(store, now=NOW)
        publish_owned_domains(store, home / "lake" / OWNED_NAMES)
        publish.publish(store)
    return home


def start(home: Path, *, at: datetime = NOW, crash: str = "") -> StartedCommand:
    """The same by the command, in a process of its own; `crash` names where it is killed."""
    words = ("billing", "rate", "--as-of", at.isoformat(), "--really", "--home", str(home))
    return forked.start(*words, crash=crash)


def end_state(home: Path) -> dict[str, Any]:
    """What must be the same however a run was interrupted: ledger, charges, balances, lake."""
    with open_store(home, owner="test", now=NOW) as store:
        connection = store.connection
        charges = connection.execute(
            "SELECT charge_id, quantity, amount, revision, reason FROM charges ORDER BY ALL"
        ).fetchall()
        return {
            "ledger": transfers.ledger_hash(connection),
            "journal": [record.kind for record in store.journal.records()],
            "charges": charges,
            "balances": connection.execute("FROM balances ORDER BY ALL").fetchall(),
            "months": connection.execute("FROM month_state ORDER BY ALL").fetchall(),
            "usage": connection.execute(
                "SELECT sum(requests), sum(bytes_sent), count(*) FROM usage"
            ).fetchall(),
            "lake": (published := publish.current(home))
            and published.journal_no == store.journal.last_no,
        }
