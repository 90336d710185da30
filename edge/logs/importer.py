"""`edge import`: finished log files into a spool, each line once, whatever is interrupted.

A file is known by its content: the same file again, a renamed or gzipped copy adds nothing; a file
that grew is continued; an import that was killed is finished by running it again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge.errors import InputError
from edge.logs.chunks import Chunk, ContentChanged, read_chunks, without_nuls
from edge.logs.content import BYTE_ORDER_MARK, Content
from edge.logs.fingerprints import StoredHash
from edge.logs.foreign import what_it_is
from edge.logs.formats.block import Format, Parsed
from edge.logs.guessing import looks_like
from edge.logs.positions import REWRITTEN, KnownPlace, KnownStreams, StreamPosition
from edge.logs.repeated_ids import REMEMBERED, OtherFiles, RecentIds
from edge.logs.streams import Step, Stream, Writer
from edge.reasons import UNREADABLE, Reason

_SAMPLE_BYTES: Final = 64 << 10
"""How much of a file is tried in other formats when the chosen one reads none of it."""
_PARSERS: Final = 2
"""Blocks parsed at once."""


@dataclass(slots=True, kw_only=True)
class ImportResult:
    """What an import did. `lines == events + duplicates + sum(skipped)` always.

    `lines` counts data lines of all files, `events` what was added, `duplicates` what an earlier
    import had added already. `problems` are files that could not be read to their end,
    `not_understood` those of which no line, or nine in ten at most, could be read. `repeated_ids`
    counts lines whose request id was seen shortly before, `nul_bytes` what holes left in the files.
    `examples` has the first refused line of each reason.
    """

    files: int = 0
    lines: int = 0
    events: int = 0
    duplicates: int = 0
    unattributable: int = 0
    repeated_ids: int = 0
    nul_bytes: int = 0
    skipped: Counter[Reason] = field(default_factory=Counter)
    examples: dict[Reason, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    not_understood: list[str] = field(default_factory=list)

    def add(self, other: ImportResult) -> None:
        """Take what another import of the same command did."""
        self.files += other.files
        self.lines += other.lines
        self.events += other.events
        self.duplicates += other.duplicates
        self.unattributable += other.unattributable
        self.repeated_ids += other.repeated_ids
        self.nul_bytes += other.nul_bytes
        self.skipped.update(other.skipped)
        self.examples = {**other.examples, **self.examples}
        self.notes += other.notes
        self.problems += other.problems
        self.not_understood += other.not_understood

    def document(self) -> dict[str, object]:
        """As `--json` prints it."""
        return {
            "files": self.files,
            "lines": self.lines,
            "events": self.events,
            "duplicates": self.duplicates,
            "skipped": dict(sorted(self.skipped.items())),
            "unattributable": self.unattributable,
            "repeated_ids": self.repeated_ids,
            "nul_bytes": self.nul_bytes,
            "examples": dict(sorted(self.examples.items())),
            "notes": self.notes,
            "problems": self.problems,
            "not_understood": self.not_understood,
        }


def check_files(paths: Sequence[Path]) -> None:
    """Raise InputError, before anything is changed, when one of `paths` cannot be opened."""
    for path in paths:
        if path.is_dir():
            raise InputError(f"{path} is a folder", "name the log files in it")
        Content(path).close()


class Importer:
    """Imports files of one format into one spool. `drop_repeated`: lines whose request id was seen
    shortly before are refused.
    """

    def __init__(
        self,
        writer: Writer,
        known: KnownStreams,
        form: Format,
        *,
        now_ms: Callable[[], int],
        advance: Callable[[int], None] = lambda _bytes: None,
        drop_repeated: bool = False,
    ) -> None:
        self.writer = writer
        self.known = known
        self.form = form
        self.now_ms = now_ms
        self.advance = advance
        self.drop_repeated = drop_repeated
        self.result = ImportResult()
        self.sources: dict[Path, tuple[str, bool]] = {}
        """The stream that each file held, and whether it was read from its start."""
        self.hashes: dict[Path, tuple[str, int]] = {}
        """SHA-256 and size of plain files that were read from their start to their end."""
        self._hash = StoredHash()
        self._failed = False
        self._others: OtherFiles | None = None
        self._recent: RecentIds | None = None

    def run(self, paths: Sequence[Path]) -> ImportResult:
        """Import `paths` in order; every line that was taken is durable on return.

        Raises InputError, before anything is changed, when one of them cannot be opened.
        """
        check_files(paths)
        self._others = OtherFiles() if len(paths) > 1 else None
        for path in paths:
            with Content(path, documents=self.form.json, records=self.form.records) as content:
                self._file(content)
        self.writer.spool.commit()
        result = self.result
        result.events = self.writer.events
        result.unattributable = self.writer.unattributable
        result.repeated_ids = self.writer.repeated_ids
        result.nul_bytes += self.writer.nul_bytes
        result.skipped.update(self.writer.skipped)
        result.lines = result.events + result.duplicates + sum(result.skipped.values())
        self._tell()
        self._tell_of_both_files()
        return result

    def _tell(self) -> None:
        """Notes about what was found in the files as a whole."""
        result = self.result
        for reason, row in sorted(self.writer.examples.items()):
            result.examples[reason] = row.told()
            result.notes.append(row.told())
        if result.repeated_ids:
            many = result.repeated_ids != 1
            have = f"{result.repeated_ids:,} lines have" if many else "1 line has"
            verb = "refused" if self.drop_repeated else "counted twice (--drop-repeated)"
            result.notes.append(
                f"{have} a request id seen shortly before: does the server log each request"
                f" twice? {'They are' if many else 'It is'} {verb}"
            )
        if result.nul_bytes and result.events:
            result.notes.append(
                f"{result.nul_bytes:,} NUL bytes passed over: a log that was cut while its server"
                " wrote on (copytruncate) has such holes"
            )

    def _tell_of_both_files(self) -> None:
        """A note for each two files that hold the same requests."""
        shared = {} if self._others is None else self._others.shared
        what = (
            f"--drop-repeated refuses those that are at most {REMEMBERED:,} lines apart"
            if self.drop_repeated
            else "Each is counted twice: import one of the two, or see --drop-repeated"
        )
        for (name, other), count in sorted(shared.items()):
            are = f"{count:,} requests" if count > 1 else "1 request"
            self.result.notes.append(
                f"{name}: at least {are}, by the request id, are in {other} too: does the server"
                f" log to both? {what}"
            )
        if not self.drop_repeated:
            self.result.repeated_ids += sum(shared.values())

    def _file(self, content: Content) -> None:
        self.result.files += 1
        try:
            found = self.known.find(content, self.form, whole=True)
            if found is None:
                self._without_lines(content)
            elif found.reached:
                self._go_on(content, found)
            else:
                self.result.duplicates += _data_lines(content) - self.form.head
        except InputError as error:
            self.result.problems.append(error.message)
        except ContentChanged:
            self.result.problems.append(f"{content.path}: the file changed while it was read")
        if content.cut_off:
            self.result.problems.append(f"{content.path}: the packed file is cut off")

    def _go_on(self, content: Content, found: KnownPlace) -> None:
        """Read what is new in a file."""
        position = found.position
        if found.rewritten:
            self.result.notes.append(f"{content.path.name} {REWRITTEN}")
        self.sources[content.path] = (position.to_source().source, position.offset == 0)
        if self._others is not None:
            self._others.begin()
        self.result.duplicates += position.events
        if position.refused:
            self.result.skipped[Reason.REFUSED_BEFORE] += position.refused
        unfinished = self.result.skipped[Reason.UNTERMINATED]
        self._hash = StoredHash()
        self._read(content, position)
        hashed = self._hash.of(content)
        if hashed is not None:
            self.hashes[content.path] = hashed
        now = self.known.current(position)
        self._doubt(content, now, self.result.skipped[Reason.UNTERMINATED] - unfinished)

    def _without_lines(self, content: Content) -> None:
        """A file without a data line is nothing, unless it holds bytes that are none."""
        kind = what_it_is(content.read_at(0, _SAMPLE_BYTES))
        if kind is not None:
            self.result.not_understood.append(f"{content.path}: no line could be read: {kind}")

    def _doubt(self, content: Content, now: StreamPosition, unfinished: int) -> None:
        """Say so when much of a file could not be read: the format may be the wrong one."""
        if not now.not_understood and (now.events or not unfinished):
            return
        if self.drop_repeated and now.refused and not now.unreadable:
            return  # all its requests stood in a file before
        name, lines = content.path.name, now.events + now.refused + unfinished
        if now.events:
            self.result.not_understood.append(
                f"{name}: {now.unreadable:,} of {lines:,} lines could not be read as"
                f" {self.form.name}"
            )
            return
        note = f"{name}: no line of {lines:,} could be read as {self.form.name}"
        start = content.read_at(0, _SAMPLE_BYTES).removeprefix(BYTE_ORDER_MARK)
        likely = looks_like(start[: start.rfind(b"\n") + 1], self.now_ms())
        if likely and likely != self.form.name:
            note += f"; it looks like {likely}. Import it again with --format {likely}"
        elif kind := what_it_is(content.read_at(0, _SAMPLE_BYTES)):
            note += f"; {kind}"
        self.result.not_understood.append(note)
        self.result.notes.append(note)

    def _read(self, content: Content, position: StreamPosition) -> None:
        """Parse ahead in some threads and write in another: nobody waits for the disk."""
        stream = Stream(
            content,
            self.form,
            position,
            name=content.path.name,
            repeats=self._ids_before(position) if self.drop_repeated else None,
            drop_repeated=self.drop_repeated,
        )
        # Directives steer what follows them, so blocks of such a format are parsed one by one.
        parsers = 1 if self.form.directives else _PARSERS
        with ThreadPoolExecutor(parsers) as parsing, ThreadPoolExecutor(1) as writing:
            ahead: deque[tuple[Chunk, Future[Parsed]]] = deque()
            written: deque[Future[None]] = deque()
            damage: list[InputError] = []
            try:
                for chunk in self._whole_chunks(stream, content, parsing, damage):
                    ahead.append((chunk, parsing.submit(stream.parse, chunk, self.now_ms())))
                    if len(ahead) > parsers:
                        self._move(stream, ahead, written, writing)
                while ahead:
                    self._move(stream, ahead, written, writing)
            finally:
                while written:
                    written.popleft().result()
            for error in damage:
                raise error

    def _ids_before(self, position: StreamPosition) -> RecentIds:
        """The ids of the files before; of a file that is continued, those of its own lines."""
        if position.offset == 0 and self._recent is not None:
            return self._recent
        self._recent = RecentIds()
        return self._recent

    def _move(
        self,
        stream: Stream,
        ahead: deque[tuple[Chunk, Future[Parsed]]],
        written: deque[Future[None]],
        writing: ThreadPoolExecutor,
    ) -> None:
        """Take the oldest parsed block and have it written; at most two wait to be."""
        chunk, parsed = ahead.popleft()
        ids = parsed.result().ids
        if self._others is not None and ids is not None:
            self._others.take(stream.position.name, ids)
        step = stream.move(chunk, parsed.result())
        if not stream.content.packed:
            self._hash.feed(chunk)
        self.result.notes += [f"{stream.position.name}: {note}" for note in step.notes]
        written.append(writing.submit(self._write, step))
        if len(written) > 2:
            written.popleft().result()

    def _whole_chunks(
        self,
        stream: Stream,
        content: Content,
        parsing: ThreadPoolExecutor,
        damage: list[InputError],
    ) -> Iterator[Chunk]:
        """The chunks of a file up to the last whole record, or up to the damage of a gzip."""
        done = content.stored_offset()
        for chunk in _up_to_damage(stream.chunks(), damage):
            if chunk.open_end and (chunk.hole or chunk.oversized):
                self._endless(chunk, content)
                return
            if chunk.open_end:
                # In the queue behind what it follows, whose directives it stands under.
                parsed = parsing.submit(stream.parse, chunk, self.now_ms()).result()
                if not self._is_whole(chunk, parsed, content):
                    return
            self.advance(content.stored_offset() - done)
            done = content.stored_offset()
            yield chunk

    def _endless(self, chunk: Chunk, content: Content) -> None:
        """Say what stands at the end of a file without a line end, and is left there."""
        size = chunk.end - chunk.start
        if chunk.hole:
            self.result.nul_bytes += size
            if chunk.start == 0:
                self.result.not_understood.append(f"{content.path}: nothing but {size:,} NUL bytes")
            return
        self.result.skipped[Reason.UNTERMINATED] += 1
        self.result.problems.append(
            f"{content.path}: the last {size:,} bytes have no line end: they are no line, and left"
        )

    def _write(self, step: Step) -> None:
        """Without an fsync of its own: the spool makes one every 16 MiB, and `run` the last one.

        Once a write failed, those queued behind it must not be tried: the spool has dropped what
        was not durable, and their positions would pass over it.
        """
        if self._failed:
            return
        try:
            self.writer.write(step, 0)
        except BaseException:
            self._failed = True
            raise
        self.known.remember(step.position)

    def _is_whole(self, chunk: Chunk, parsed: Parsed, content: Content) -> bool:
        """Whether a last line without an end is a whole record (never so in a gzip that is cut):
        it was understood, though it may be no request.
        """
        understood = not any(row.reason in UNREADABLE for row in parsed.refused)
        if not content.cut_off and parsed.lines == 1 and understood:
            return True
        if chunk.data.strip() and not chunk.data.startswith(b"#"):
            self.result.skipped[Reason.UNTERMINATED] += 1
        return False


def _up_to_damage(chunks: Iterator[Chunk], damage: list[InputError]) -> Iterator[Chunk]:
    """What can be read of `chunks`: what was read before the damage is taken all the same."""
    try:
        yield from chunks
    except InputError as error:
        damage.append(error)


def _data_lines(content: Content) -> int:
    """Lines that are neither blank nor directives."""
    count = 0
    for chunk in read_chunks(content, 0, [4 << 20]):
        if chunk.oversized and chunk.open_end:
            continue
        data = chunk.data if chunk.start else chunk.data.removeprefix(BYTE_ORDER_MARK)
        lines = without_nuls(data).split(b"\n")
        count += sum(1 for line in lines if line.strip() and not line.startswith(b"#"))
    return count
