"""Opening the billing store: the lock, the journal verified, the tables brought up to it.

A lost or older billing.duckdb is rebuilt from the journal and the closed hours, and so is one whose
tables another version laid out; one that is ahead of the journal, or differs from it, is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from billing.store import charge_files, layout, left_note
from billing.store.audit import differences
from billing.store.journal import BEGINNING
from billing.store.store import STORE_NAME, Appliers, Store
from edge.durable import FileLock, fsync_folder
from edge.errors import Corrupt, EdgetollError
from edge.terminal import warn

TOLD_FROM = 10_000
"""A comparison with more records than this takes so long that a person wants to know why."""


def opened(
    home: Path,
    *,
    owner: str,
    now: datetime,
    appliers: Appliers,
    evidence: Callable[[Store], None],
    wait_seconds: int = 0,
) -> Store:
    """Take HOME/billing.lock (Busy names its holder, after `wait_seconds` for it to leave), open
    the store, bring it up to the journal. `evidence` raises if what lies outside speaks against it.
    """
    if not home.is_dir():
        raise EdgetollError(f"there is no home {home}", f"make one first: edgetoll init {home}")
    if "?" in str(home.absolute()):
        raise EdgetollError(
            f"no store can be kept in {home}: its path holds a question mark",
            "move the home to a path without one: DuckDB takes what follows it for options",
        )
    lock = FileLock(home / "billing.lock", owner, wait_seconds=wait_seconds)
    lock.__enter__()
    store = None
    try:
        found = left_note.state_of(home.joinpath(STORE_NAME))
        note = left_note.read(home.joinpath(STORE_NAME))
        store = Store(home, now, appliers=appliers)
        torn = _verify_journal(store, note)
        store.is_as_left = note is not None and note.store == found
        rebuilt = _bring_up(store, torn)
        evidence(store)
        if found is not None and not rebuilt and not store.is_as_left:
            _refuse_edited(store)  # the replay reads every file of charges too
        elif note is not None and note.charges != charge_files.state_of(
            store.charges, store.journal
        ):
            charge_files.refuse_damaged(store)
        left_note.clear(store.path)
    except BaseException:
        if store is not None:
            store.end_session()
        lock.__exit__(None, None, None)
        raise
    store.hold(lock)
    return store


def _verify_journal(store: Store, note: left_note.LeftNote | None) -> bytes:
    """Verify the chain from where the last session left it, or all of it; gives the torn end."""
    since = left_note.anchor(note, store.journal.path)
    torn = store.journal.verify(since)
    if note is not None and since != BEGINNING:
        store.verified_at, store.verified_no = note.verified_at, note.verified_no
    else:
        store.verified_at, store.verified_no = store.now, store.journal.last_no
    return torn


def _bring_up(store: Store, torn: bytes) -> bool:
    """Apply to the tables what the journal has and they have not; True if they were made anew."""
    fits = layout.stored(store.connection) in (None, layout.present())
    if fits:
        store.create_tables()
    state, last_no = store.state(), store.journal.last_no
    number = state.last_no
    if number > last_no:
        raise Corrupt(
            f"billing.duckdb holds journal record {number}, the journal ends at {last_no}",
            "restore journal/ from its newest backup, and leave billing.duckdb in its place: it"
            f" alone has records {last_no + 1} to {number}",
        )
    if store.journal.hash_at(number) != state.last_hash:
        raise Corrupt(
            f"billing.duckdb and the journal differ at record {number}",
            "they are of two homes or two histories: restore journal/ and billing.duckdb from the"
            " same backup",
        )
    if torn:
        warn(f"cut a torn record of {len(torn)} bytes after journal record {last_no}")
        store.journal.cut(torn)
    if not fits:
        _rebuild(store)
    store.catch_up()
    return not fits


def _rebuild(store: Store) -> None:
    """Replace a store whose tables another version laid out by one made from the journal."""
    warn(f"{STORE_NAME} is of another version of edgetoll: it is rebuilt from the journal")
    path = store.path.with_name(f".{STORE_NAME}.rebuilt")
    leftovers = (path, path.with_name(f"{path.name}.wal"))
    for left in leftovers:
        left.unlink(missing_ok=True)
    try:
        Store.replayed(store.home, path, now=store.now, appliers=store.appliers).end_session()
    except BaseException:
        for left in leftovers:
            left.unlink(missing_ok=True)
        raise
    store.end_session()
    store.path.with_name(f"{STORE_NAME}.wal").unlink(missing_ok=True)
    os.replace(path, store.path)
    fsync_folder(store.home)
    store.reconnect()


def _refuse_edited(store: Store) -> None:
    """The file is not as billing left it: is it still what the journal says (FAULTS G24)?"""
    records = store.journal.last_no
    if records > TOLD_FROM:
        warn(f"{STORE_NAME} is not as it was left: it is compared with {records} journal records")
    found = differences(store)
    if found:
        raise Corrupt(
            f"{STORE_NAME} was changed by something other than billing: {found[0]}",
            "move it away: it is rebuilt from the journal",
        )
