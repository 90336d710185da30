"""Objects into a spool, the newest last, each once, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.crash_point import crash_point
from edge.errors import InputError
from edge.logs.formats.block import Format
from edge.logs.importer import Importer, ImportResult
from edge.logs.positions import KnownStreams
from edge.logs.refused_lines import RejectedLines
from edge.logs.streams import Step, Writer
from edge.objects.places import LogObject, objects_of
from edge.objects.taken import TakenObjects
from edge.spool.spool import Spool
from edge.usage.importing import UsageImporter

Took = Callable[[str, Path, Importer | None], None]
"""An object's name, where its content lies now, and who read its lines."""


class ObjectImporter:
    """Imports objects of one format, or rows of usage (`form` None), into one spool.

    One object is on this machine at a time; what a crash interrupts is gone on with.
    """

    def __init__(
        self,
        spool: Spool,
        form: Format | None,
        region: str,
        *,
        now_ms: Callable[[], int],
        drop_repeated: bool = False,
        tally: Callable[[Step], None] = lambda _step: None,
        took: Took = lambda _name, _path, _importer: None,
    ) -> None:
        """`tally` gets each step that was written, `took` each object when it was read."""
        self.tally = tally
        self.took = took
        self.spool = spool
        self.form = form
        self.region = region
        self.now_ms = now_ms
        self.drop_repeated = drop_repeated
        self.taken = TakenObjects(spool.folder, form.identity if form else "counts")
        self.known = KnownStreams(spool.positions())

    def run(
        self, objects: Sequence[LogObject], advance: Callable[[int], None] = lambda _bytes: None
    ) -> ImportResult:
        """Import those of `objects` that were not taken before; all durable on return."""
        total = ImportResult()
        before = 0
        for each in objects:
            if each.state in self.taken:
                before += 1
                continue
            try:
                tag = each.content_tag()
                if tag is not None and tag in self.taken:
                    self.taken.add(each.state)  # copied onto itself: another time, no other content
                    before += 1
                    continue
                with each.local() as path:
                    found = self._one(each.address, path)
            except InputError as error:
                total.files += 1
                total.problems.append(error.message)
                continue
            total.add(found)
            crash_point("object-read")
            if not (found.problems or found.not_understood):
                self.taken.add(each.state, *([tag] if tag is not None else []))
            advance(each.size)
        if before:
            were = "object was" if before == 1 else "objects were"
            total.notes.append(f"{before:,} {were} taken before")
        return total

    def _one(self, name: str, path: Path) -> ImportResult:
        """One object that is a file now."""
        if self.form is None:
            usage = UsageImporter(self.spool, self.region, now_ms=self.now_ms())
            result = usage.run([path])
            self.took(name, path, None)
            return result
        writer = Writer(self.spool, RejectedLines(self.spool.folder), tally=self.tally)
        importer = Importer(
            writer,
            self.known,
            self.form,
            now_ms=self.now_ms,
            drop_repeated=self.drop_repeated,
        )
        result = importer.run([path])
        self.took(name, path, importer)
        return result


def keep_on(
    importer: ObjectImporter,
    places: Sequence[str],
    *,
    stop: threading.Event,
    poll_seconds: float,
    tell: Callable[[ImportResult | InputError], None],
) -> None:
    """Look into `places` again and again until `stop`; each look that took or missed something is
    told.
    """
    while not stop.is_set():
        try:
            result = importer.run(objects_of(places))
            if result.files:
                tell(result)
        except InputError as error:
            tell(error)
        stop.wait(poll_seconds)
