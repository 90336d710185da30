"""The damage pass over what billing keeps: store, journal, effects, lake, documents, stop list.

As with metering's files: after each damage the totals are right, or a command and `check` say so.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from billing.appliers import open_store
from billing.invoices.documents import writing
from billing.lake import query
from billing.outbox import stop_list
from edge.errors import EdgetollError
from tests.billing.homes import BOOK, copied
from tests.billing.invoices.world import NOVEMBER, World, october
from tests.billing.runner import published
from tests.damage.damages import DAMAGES, of_another_home
from tests.damage.program import is_told, run
from tests.damage.records import Damage, Homes, Kind, Outcome

ISSUED = NOVEMBER + timedelta(hours=4)
LATER = (ISSUED + timedelta(hours=1)).isoformat()
FORMATS = ("json", "csv", "html", "pdf")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("billing", "rate", "--as-of", LATER),
    ("check",),
)
SUSPEND = ("billing", "suspend", "beta", "--cause", "administrative", "--by", "ann",
           "--reason", "court order", "--as-of", LATER)  # fmt: skip
ALERTS = ("billing", "alerts", "--as-of", LATER)
TOTALS = (
    "SELECT (SELECT sum(requests) FROM usage_monthly), (SELECT sum(amount) FROM charges),"
    " (SELECT sum(total) FROM invoices), (SELECT count(*) FROM transfers),"
    " (SELECT sum(available) FROM accounts)"
)
DOCUMENTS = "invoices/2026-10/INV-*"
VERSION = "lake/versions/[0-9]*"
BILLING = (
    Kind(name="billing store", pattern="billing.duckdb"),
    Kind(name="left note", pattern="billing.duckdb.left"),
    Kind(name="journal", pattern="journal/journal.jsonl"),
    Kind(name="effect: charges", pattern="journal/effects/*charges*"),
    Kind(name="effect: accounts", pattern="journal/effects/*account*"),
    Kind(name="effect: invoices", pattern="journal/effects/*invoice*"),
    Kind(name="lake: usage", pattern=f"{VERSION}/usage_5min/*.parquet"),
    Kind(name="lake: charges", pattern=f"{VERSION}/charges/*.parquet"),
    Kind(name="lake: imported files", pattern=f"{VERSION}/imported_files/*.parquet"),
    Kind(name="lake: invoices", pattern=f"{VERSION}/invoices/*.parquet"),
    Kind(name="lake: zones", pattern=f"{VERSION}/zone_offsets/*.parquet"),
    Kind(name="lake: list", pattern=f"{VERSION}/version.json"),
    Kind(name="lake: pointer", pattern="lake/CURRENT"),
    Kind(name="document: JSON", pattern=f"{DOCUMENTS}.json"),
    Kind(name="document: CSV", pattern=f"{DOCUMENTS}[0-9].csv"),
    Kind(name="document: appendix", pattern=f"{DOCUMENTS}.detail.csv"),
    Kind(name="document: HTML", pattern=f"{DOCUMENTS}.html"),
    Kind(name="document: PDF", pattern=f"{DOCUMENTS}.pdf"),
    Kind(name="documents' hashes", pattern="invoices/2026-10/SHA256SUMS"),
    Kind(name="stop list", pattern="suspended/domains.json"),
    Kind(name="stop list, text", pattern="suspended/domains.txt"),
    Kind(name="owned names", pattern="lake/owned_domains.txt"),
    Kind(name="outbox", pattern="outbox/events.jsonl"),
    Kind(name="checks", pattern="checks.json"),
    Kind(name="price book", pattern="prices/*.toml"),
    Kind(name="accounts", pattern="rows.toml", command=("billing", "load", "{file}")),
    Kind(name="settings of billing", pattern="edgetoll.toml"),
)

Sums = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """The homes, and what the lake of today's says after the usual commands."""

    homes: Homes
    right: Sums


def build(place: Path, damages: Mapping[str, Damage] = DAMAGES) -> Billed:
    """Today's home with October issued, itself before that, and another one with other prices,
    where one of `damages` takes its files.
    """
    today = october(place / "today")
    shutil.copytree(published(today.home), place / "yesterday")
    issue(today)
    other = place / "other"
    if of_another_home in damages.values():
        world = october(other, book=BOOK.replace('"0.01"', '"0.02"'))
        issue(world)
        other = world.home
    homes = Homes(today=today.home, yesterday=place / "yesterday", other=other, truth={})
    undamaged = place / "undamaged"
    copied(homes.today, undamaged)
    right = sums(undamaged)
    ran = [run(*words, "--home", str(undamaged)) for words in COMMANDS]
    assert [one.code for one in ran] == [0] * len(ran), ran
    assert right == sums(undamaged)
    assert right is not None
    return Billed(homes=homes, right=right)


def issue(world: World) -> None:
    """October's invoices with their documents, and all that follows."""
    world.invoice("2026-10", ISSUED)
    with open_store(world.home, owner="test", now=ISSUED) as store:
        writing.write_month(store.home, store.connection, "2026-10", FORMATS)
    published(world.home)
    for words in (SUSPEND, ALERTS, *COMMANDS):
        run(*words, "--home", str(world.home))


def sums(home: Path) -> Sums | None:
    """What a reader of the lake and of the stop list is told; None: that it cannot be read."""
    try:
        with query.connect(home, query=TOTALS) as connection:
            told = connection.execute(TOTALS).fetchall()[0]
        return (*told, *stop_list.read_file(home / "suspended" / "domains.json"))
    except (EdgetollError, OSError, ValueError, KeyError, TypeError):
        return None


def pass_over(
    billed: Billed, kinds: Iterable[Kind], place: Path, damages: Mapping[str, Damage] = DAMAGES
) -> Iterator[Outcome]:
    """Every kind with every damage, each on a fresh copy of today's home below `place`."""
    for kind in kinds:
        for name, damage in damages.items():
            yield one(billed, kind, name, damage, place)


def one(billed: Billed, kind: Kind, name: str, damage: Damage, place: Path) -> Outcome:
    """What comes of one kind and one damage."""
    home = place / "damaged"
    shutil.rmtree(home, ignore_errors=True)
    copied(billed.homes.today, home)
    file = kind.find(home)
    if file is None or not damage(home, billed.homes, kind, file):
        return Outcome(kind=kind.name, damage=name, verdict="–")
    told = is_told(home, readers=sums(home), right=billed.right)
    own = tuple(word.format(file=home / file) for word in kind.command)
    commands = (own, *COMMANDS) if own else COMMANDS
    ran = tuple(run(*words, "--home", str(home)) for words in commands)
    red = any(one.code != 0 for one in ran)
    right = sums(home) == billed.right
    if any(one.defect for one in ran):
        verdict = "TRACEBACK"
    elif not (told and (right or red)):
        verdict = "SILENT"
    elif right:
        verdict = "right, red" if red else "right"
    else:
        verdict = "told"
    return Outcome(kind=kind.name, damage=name, verdict=verdict, ran=ran)
