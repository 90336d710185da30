"""What stands outside the billing store still agrees with it: the journal's replay, the lake, the
documents, the closed hours it took in.

Each of these was made from the store's records, so each is evidence: a store or a journal of
another day cannot stand beside today's lake and documents unseen (FAULTS L3, G24).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import sql
from billing.accounts.load import OWNED_NAMES, owned_names
from billing.checks.invariants import FIRST_ROWS, about
from billing.checks.red import CheckResult
from billing.invoices.documents import damage as documents
from billing.lake import version as versions
from billing.lake.query import connect
from billing.outbox import stop_list
from billing.runs.import_hours import too_old_files
from billing.store.audit import differences
from billing.store.store import Store
from edge.errors import Corrupt, EdgetollError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Rows = Iterator[tuple[object, ...]]
REPLAY = "store_equals_journal"
DOCUMENTS = "documents_are_of_this_store"
LISTS = "published_lists_are_of_this_store"
UNBILLED = "no_usage_waits_to_be_billed"
LAKE_CHECKS = (
    "usage_months_equal_charges",
    "usage_sums_equal_usage",
    "lake_days_equal_charges",
    "focus_rules",
    "focus_equals_invoices",
)
"""Checks over the public views, as readers see them."""
UNPUBLISHED = ("deliveries",)
"""Kinds of records that no command publishes: the lake shows them with the next one."""
ABOUT = {
    REPLAY: "The billing store is what a replay of the journal and its effect files gives.",
    "closed_hours_are_there": "Each closed hour that billing took in is still there, unchanged.",
    "lake_is_of_this_journal": "The lake goes up to the journal's last record of what it shows.",
    "lake_tables_are_of_this_store": "A table of the lake that was not written anew has the"
    " store's rows.",
    **{name: about(f"checks/{name}") for name in LAKE_CHECKS},
    LISTS: "The stop list and the owned names are what the store says.",
    DOCUMENTS: "Each document that the store issued is in invoices/, as it was written.",
    UNBILLED: "No usage waits to be billed: none is too old for that unseen, all has a price.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutPrice:
    """An account's hours that no price could rate: how many, and the first of them."""

    account_id: str
    hour: datetime
    hours: int
    problem: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """A closed-hour file that billing took in, with the hash of its certificate. `pruned`: its data
    is kept no more.
    """

    hour: datetime
    partition: str
    revision: int
    certificate_sha256: str
    pruned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingAccount:
    """An account whose charges are not yet its usage."""

    account_id: str


def results(store: Store, *, quick: bool = False) -> list[CheckResult]:
    """Every comparison, made; `quick` leaves the replay and the documents' hashes out."""
    before: dict[str, Callable[[], Rows]] = {
        REPLAY: lambda: replay(store),
        "closed_hours_are_there": lambda: closed_hours(store),
        "lake_is_of_this_journal": lambda: lake(store),
        "lake_tables_are_of_this_store": lambda: tables(store),
    }
    if quick:
        del before[REPLAY]
    after: dict[str, Callable[[], Rows]] = {
        LISTS: lambda: lists(store),
        DOCUMENTS: lambda: documents.results(store.home, store.connection, quick=quick),
        UNBILLED: lambda: unbilled(store),
    }
    return [
        *(_result(name, compare) for name, compare in before.items()),
        *in_the_lake(store),
        *(_result(name, compare) for name, compare in after.items()),
    ]


def _result(name: str, compare: Callable[[], Rows]) -> CheckResult:
    """One comparison, made; what it cannot read makes it red, and no other."""
    try:
        missing = name == UNBILLED
        return CheckResult(check=name, about=ABOUT[name], rows=tuple(compare()), missing=missing)
    except EdgetollError as error:
        return CheckResult(check=name, about=ABOUT[name], unable=str(error))


def replay(store: Store) -> Rows:
    """Tables that differ from the journal, and an effect file that is missing or changed."""
    try:
        yield from ((line,) for line in differences(store))
    except Corrupt as error:
        yield error.message, error.hint


def closed_hours(store: Store) -> Rows:
    """Files taken in whose certificate is gone or another one."""
    from metering.closed import certificate_sha256, closed_file

    for one in sql.rows(
        store.connection.execute(sql.text("statements/lake/check/taken_in")), TakenIn
    ):
        file = closed_file(store.home, one.hour.replace(tzinfo=UTC), one.partition, one.revision)
        if not file.certificate_path.is_file() or not (one.pruned or file.data_path.is_file()):
            yield file.data_path.name, f"{file.data_path.parent.name}: it was billed and is gone"
        elif certificate_sha256(file.certificate_path) != one.certificate_sha256:
            yield file.data_path.name, f"{file.certificate_path} is not the one that was billed"


def lake(store: Store) -> Rows:
    """A lake of another journal, of a later record than the journal has, or an older copy: each
    command publishes what it recorded before it lets the store go, deliveries alone excepted.
    """
    try:
        version = versions.current(store.home)
    except Corrupt:
        return  # lake_version_is_whole says so
    if version is None:
        return
    if store.journal.hash_at(version.journal_no) != version.journal_hash:
        last = store.journal.last_no
        yield (
            f"lake/ goes up to record {version.journal_no}, which the journal does not have",
            f"the journal ends with record {last}: restore journal/ from a newer backup",
        )
        return
    for record in store.journal.records(after=version.journal_no):
        if record.kind not in UNPUBLISHED:
            yield (
                f"lake/ goes up to record {version.journal_no} and lacks record {record.number}"
                f" ({record.kind}) of {record.at}: it is an older copy, or its command was killed",
                versions.MEND,
            )
            return


def tables(store: Store) -> Rows:
    """Tables of the lake that were taken over from an earlier version and are others now."""
    from billing.lake import publish

    version = publish.current(store.home)
    if version is None or version.layout != publish.layout() or any(lake(store)):
        return  # another check says so
    for name in publish.not_of_this_store(store, version):
        yield f"lake/{name} is not what the store says", versions.MEND


def in_the_lake(store: Store) -> list[CheckResult]:
    """What the checks over the views of the lake find, all by one reader; where there is something
    that it cannot read, each by its own, so that only those are red which need it.
    """
    try:
        version = versions.current(store.home)
        if version is not None:
            versions.verify_open(version)
    except Corrupt:  # lake_version_is_whole says so
        return [CheckResult(check=name, about=ABOUT[name]) for name in LAKE_CHECKS]
    values = {"waiting": _waiting(store)}
    texts = {name: sql.text(f"checks/{name}") for name in LAKE_CHECKS}

    def found(name: str, reader: DuckDBPyConnection) -> Rows:
        given = values if "$waiting" in texts[name] else None
        yield from reader.execute(texts[name], given).fetchmany(FIRST_ROWS)

    def alone(name: str) -> Rows:
        with connect(store.home, query=texts[name]) as reader:
            yield from found(name, reader)

    try:
        together = connect(store.home, query="\n".join(texts.values()))
    except EdgetollError:
        return [_result(name, partial(alone, name)) for name in LAKE_CHECKS]
    with together:
        return [_result(name, partial(found, name, together)) for name in LAKE_CHECKS]


def unbilled(store: Store) -> Rows:
    """Hours that were taken in and are not billed before a person does something: accepts them
    (FAULTS G11), or gives what was used a price.
    """
    for one in too_old_files(store):
        yield one.hour, one.partition, f"{one.requests:,} requests", "edgetoll billing accept"
    found = store.connection.execute(sql.text("statements/runs/run/without_a_price"))
    for held in sql.rows(found, WithoutPrice):
        yield held.hour, held.account_id, f"{held.hours:,} hours: {held.problem}", held.hint


def _waiting(store: Store) -> list[str]:
    """Accounts that have usage which is not yet charged."""
    waiting = sql.rows(
        store.connection.execute(sql.text("statements/lake/check/waiting_accounts")), WaitingAccount
    )
    return [one.account_id for one in waiting]


def lists(store: Store) -> Rows:
    """The stop list that edges obey and the names that metering never folds, where they were
    changed or are gone.
    """
    if not any(store.home.joinpath(versions.LAKE, "versions").glob("[0-9]*")):
        return  # nothing was published yet
    yield from stop_list.not_as_published(store)
    path = store.home.joinpath(versions.LAKE, OWNED_NAMES)
    if not path.is_file() or path.read_bytes() != owned_names(store):
        yield f"{path} is not the list of the owned names", stop_list.ANEW
