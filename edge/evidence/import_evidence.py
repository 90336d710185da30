"""Evidence of one import: what was counted from each of its files, as each was taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edge.durable import write_atomically
from edge.errors import InputError
from edge.evidence.records import document, file_evidence, keep
from edge.evidence.tally import EvidenceTally, file_hash, recount, recount_rows
from edge.instants import utc_text
from edge.logs.formats.block import Format
from edge.logs.importer import Importer
from edge.spool.spool import Spool


class ImportEvidence:
    """What there is to say of the files of one import into `spool`.

    `form` None: they are rows of usage. `said`: what a person said of them. `wanted`: whether files
    that were read before are counted again for it.
    """

    def __init__(
        self,
        spool: Spool,
        form: Format | None,
        said: Mapping[str, str],
        *,
        now_ms: int,
        wanted: bool,
    ) -> None:
        self.spool = spool
        self.form = form
        self.said = dict(said)
        self.now_ms = now_ms
        self.wanted = wanted
        self.tally = EvidenceTally()
        self._files: list[dict[str, object]] = []

    def take(self, name: str, path: Path, importer: Importer | None) -> None:
        """Say of `path`, which is called `name` where it lies, what was counted from it; kept below
        the spool if it was read from its start. Raises InputError where it cannot be written.
        """
        try:
            self._take(name, path, importer)
        except OSError as error:
            raise _unwritten(error) from error

    def _take(self, name: str, path: Path, importer: Importer | None) -> None:
        whole = True
        if self.form is None:
            region = self.said["region"]
            counted, identity = recount_rows(path, region, self.now_ms), "counts"
            hashed = file_hash(path)
        else:
            identity = self.form.identity
            source, whole = importer.sources.get(path, ("", False)) if importer else ("", False)
            tally = self.tally.files.pop(source, None)
            if whole and tally is not None:
                counted = tally.document()
                hashed = (importer.hashes.get(path) if importer else None) or file_hash(path)
            elif self.wanted and source:
                whole = False
                counted, hashed = recount(path, self.form, self.now_ms)
            else:
                return
        found = file_evidence(name, hashed, counted, identity, self.said)
        if whole:
            keep(self.spool.folder, [found])
        if self.wanted:
            self._files.append(found)

    def write(self, target: Path) -> None:
        """All of it into one file. Raises InputError where it cannot be written."""
        made_at = utc_text(self.now_ms)
        try:
            data = document(self.spool.edge_id, self.spool.region, made_at, self._files)
            write_atomically(target, data)
        except OSError as error:
            raise _unwritten(error) from error


def _unwritten(error: OSError) -> InputError:
    return InputError(
        f"evidence cannot be written: {error}", "the lines are in the spool; import them again"
    )
