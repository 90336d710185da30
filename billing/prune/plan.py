"""What prune would do to a home, and doing it: by the policy, in an order that a kill cannot harm.

Looking changes nothing. Each step that touches what the journal proves is a record; files go only
after the record stands, and what an earlier prune did not come to delete is found again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from billing.lake import publish
from billing.lake import version as versions
from billing.prune import merging
from billing.prune import messages as told
from billing.prune import usage as usages
from billing.prune.settings import PruneSettings, month_start
from billing.runs.settings import read_settings
from billing.store import charge_files, gone
from billing.store.store import Store
from edge.crash_point import crash_point

LEFT_SECONDS = 86_400
"""A file or folder that a killed command left half made is nobody's after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneStep:
    """One thing to do: what it is, how many files it takes away and their bytes."""

    what: str
    files: int
    bytes: int
    why: str
    waits: str = ""
    """What still needs it, and so keeps it from being done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunePlan:
    """All that is due: files of charges to merge, and what nothing names any more."""

    merges: tuple[merging.Merge, ...]
    usage: usages.UsageDue | None
    messages: told.MessagesDue | None
    replaced: tuple[Path, ...]
    closed: tuple[Path, ...]
    versions: tuple[Path, ...]
    left: tuple[Path, ...]
    unpublished: bool
    """The lake lacks a record: a prune was killed before it was published."""
    settings: PruneSettings

    def steps(self) -> list[PruneStep]:
        """The plan as people read it, nothing that is empty."""
        kept = f"kept as they are for {self.settings.merge_months} months"
        steps = [
            PruneStep(
                what=f"charges of {one.month}: {len(one.files):,} files become one",
                files=len(one.files) - 1,
                bytes=one.bytes,
                why=kept,
            )
            for one in self.merges
        ]
        if self.usage is not None:
            steps.append(
                PruneStep(
                    what=f"usage of before {self.usage.before:%Y-%m-%d}: {self.usage.rows:,} rows",
                    files=self.usage.files,
                    bytes=self.usage.bytes,
                    why=f"kept for {self.settings.usage_months} months",
                    waits=self.usage.needed,
                )
            )
        if self.messages is not None:
            steps.append(
                PruneStep(
                    what=f"texts of {self.messages.messages:,} messages of before"
                    f" {self.messages.before:%Y-%m-%d}",
                    files=0,
                    bytes=self.messages.bytes,
                    why=f"kept for {self.settings.message_months} months",
                )
            )
        for what, paths, why in (
            ("files of charges that were merged", self.replaced, "their record stands"),
            ("data of closed hours that were pruned", self.closed, "their record stands"),
            ("versions of the lake", self.versions, "a newer one was published an hour ago"),
            ("what a killed command left half made", self.left, "nobody's for a day"),
        ):
            if paths:
                files = [file for path in paths for file in _files(path)]
                size = sum(_alone(file) for file in files)
                steps.append(PruneStep(what=what, files=len(files), bytes=size, why=why))
        if self.unpublished:
            steps.append(
                PruneStep(
                    what="the lake is published anew",
                    files=0,
                    bytes=0,
                    why="it lacks what was pruned",
                )
            )
        return steps


def look(store: Store, *, settings: PruneSettings, at: datetime) -> PrunePlan:
    """What is due at `at`; writes nothing."""
    before = month_start(at, months=settings.merge_months)
    lake = publish.current(store.home)
    return PrunePlan(
        merges=tuple(merging.due(store, before=before)),
        usage=usages.due(
            store,
            months=settings.usage_months,
            too_old_days=read_settings(store.home).too_old_days,
            at=at,
        ),
        messages=told.due(store, months=settings.message_months, at=at),
        closed=tuple(usages.data_left(store)),
        replaced=tuple(one for _, left in merging.replaced(store.journal) for one in left),
        versions=tuple(_old_versions(store.home)),
        left=tuple(_left(store.home)),
        unpublished=lake is not None
        and any(
            record.kind in (charge_files.MERGED_KIND, gone.USAGE_KIND)
            for record in store.journal.records(after=lake.journal_no)
        ),
        settings=settings,
    )


def carry_out(store: Store, plan: PrunePlan, *, at: datetime) -> None:
    """Do what `plan` says. Corrupt where a file to be merged, or the merged one, is not whole."""
    for one in plan.merges:
        merging.merge(store, one, at=at)
        crash_point("prune-merged")
    if plan.usage is not None and not plan.usage.needed:
        usages.prune(store, plan.usage, at=at)
        crash_point("prune-usage")
    if plan.messages is not None:
        told.prune(store, plan.messages, at=at)
        crash_point("prune-messages")
    for record, left in merging.replaced(store.journal):
        merging.delete_replaced(store, record, left)
    for path in usages.data_left(store):
        path.unlink()
    crash_point("prune-deleted")
    publish.publish(store)
    for path in (*_old_versions(store.home), *_left(store.home)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _old_versions(home: Path) -> Iterator[Path]:
    """Versions of the lake that no reader holds any more: as publishing removes them itself."""
    current = publish.current(home)
    limit = time.time() - publish.KEEP_SECONDS
    for folder in home.joinpath(versions.LAKE, "versions").glob("[0-9]*"):
        if current is not None and folder != current.folder and folder.stat().st_mtime < limit:
            yield folder


def _left(home: Path) -> Iterator[Path]:
    """What killed commands left: each is made under the store's lock, which the caller holds."""
    limit = time.time() - LEFT_SECONDS
    for pattern in (
        "journal/effects/.*.tmp",
        "lake/versions/.*.building",
        ".audit-*",
        ".billing.duckdb.rebuilt*",
    ):
        for path in home.glob(pattern):
            if path.stat().st_mtime < limit:
                yield path


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (one for one in path.rglob("*") if one.is_file())
    else:
        yield path


def _alone(file: Path) -> int:
    """What deleting one file frees: nothing, as long as another link to it stays."""
    found = file.stat()
    return found.st_size if found.st_nlink == 1 else 0
