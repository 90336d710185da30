"""Documents on disk: HOME/invoices/YYYY-MM/NUMBER.json and its sisters, the same bytes on every
run.

They are made from the journal's content and can be made again at any time, so they are not
fsynced; a document that is missing, torn or was edited by hand is put back as it was issued
(FAULTS G14). Two processes may write the same document at once: each writes under a name of its
own, and the file appears whole. A file that holds another issue of the same number is never
replaced, and one that is as it was written stays, whatever today's edgetoll would make of it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from billing.invoices.documents.sums import sum_of
from edge.errors import ConflictError

DRAFTS = "drafts"
# What every JSON document has had from the first, and what it has had since.
FIRST_FIELDS = frozenset({"schema", "invoice_no", "lines", "total", "detail", "content_sha256"})
FIELDS = frozenset({"taxes"})


@dataclass(slots=True)
class FilesWritten:
    """What happened to the files: new, put back because they differed, or there already.

    `before` has the hash of each as it was written earlier, by file name; `sums` of each now.
    """

    new: int = 0
    restored: int = 0
    same: int = 0
    before: Mapping[str, str] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)

    def add(self, other: FilesWritten) -> None:
        """Count what `other` counted too."""
        self.new += other.new
        self.restored += other.restored
        self.same += other.same
        self.sums |= other.sums


Put = Callable[[str, bytes, FilesWritten], None]


def folder_of(home: Path, month: str) -> Path:
    """Where the documents of a month lie."""
    return home.joinpath("invoices", month)


def statements_folder(home: Path, month: str) -> Path:
    """Where statements of account of a month lie that were sent."""
    return folder_of(home, month).joinpath("statements")


def safe_name(text: str) -> str:
    """`text` as a file name: whatever could leave the folder or hide becomes `_`."""
    kept = "".join(char if char.isalnum() or char in "-_.@" else "_" for char in text)
    return f"_{kept[1:]}" if kept.startswith(".") else kept


def put(path: str, data: bytes, written: FilesWritten) -> None:
    """Make the file hold `data`: never half, and not touched when it does already.

    Raises ConflictError where the file is an issued document of other content. One that an earlier
    edgetoll issued in the form of its time stays as it is, with its sisters.
    """
    name, digest = path.rpartition("/")[2], sum_of(data)
    present = _read(path)
    if present is None and _create(path, data):
        written.new += 1
        written.sums[name] = digest
        return
    present = (_read(path) if present is None else present) or b""
    if present == data:
        written.same += 1
        written.sums[name] = digest
        return
    noted = written.before.get(name)
    if noted != digest:  # else it held these very bytes when it was written, and was damaged since
        refuse_other_issue(path, present, data)
        as_written = sum_of(present)
        if noted == as_written or (noted is None and is_of_earlier_form(path)):
            written.same += 1
            written.sums[name] = as_written
            return
    hidden = _write_aside(path, data)
    os.replace(hidden, path)
    written.restored += 1
    written.sums[name] = digest


def put_draft(path: str, data: bytes, written: FilesWritten) -> None:
    """Make the file hold this draft; a draft before it was never issued and goes."""
    hidden = _write_aside(path, data)
    os.replace(hidden, path)
    written.new += 1


def put_new(path: str, data: bytes, written: FilesWritten) -> None:
    """Make a file that nobody looks at yet: it need not be whole at every moment."""
    _write_bytes(path, data)
    written.new += 1
    written.sums[path.rpartition("/")[2]] = sum_of(data)


def refuse_other_issue(path: str, present: bytes, data: bytes) -> None:
    """ConflictError if `present`, found at `path`, is another issue of the number than `data`.

    A JSON document names the hash of its content. What is torn or is no document names none, and
    the same hash means the same issue, edited by hand: both are put back.
    """
    if not path.endswith(".json"):
        return
    theirs, ours = _issue_of(present), _issue_of(data)
    if theirs is not None and theirs != ours:
        name = path.rpartition("/")[2]
        raise ConflictError(
            f"{path} is an issued document of other content: its hash is {theirs[:12]}…, the"
            f" journal's {(ours or 'none')[:12]}…",
            f"the journal may be an older copy: run edgetoll check; {name} was left as it is",
        )


def is_of_earlier_form(path: str) -> bool:
    """Whether `path` belongs to a document that an earlier edgetoll issued: its JSON is whole, and
    has not all the fields that documents have today.
    """
    folder, _, name = path.rpartition("/")
    content = _content(_read(f"{folder}/{name.partition('.')[0]}.json") or b"")
    return content is not None and content.keys() >= FIRST_FIELDS and not content.keys() >= FIELDS


def _content(document: bytes) -> dict[str, object] | None:
    try:
        content = orjson.loads(document)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


def _issue_of(document: bytes) -> str | None:
    try:
        content = orjson.loads(document)
    except orjson.JSONDecodeError:
        return None
    digest = content.get("content_sha256") if isinstance(content, dict) else None
    return digest if isinstance(digest, str) else None


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except FileNotFoundError:
        return None


def _create(path: str, data: bytes) -> bool:
    """Make a whole file at a name that is free; false if another process took it meanwhile."""
    hidden = _write_aside(path, data)
    try:
        os.link(hidden, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(hidden)
    return True


def _write_aside(path: str, data: bytes) -> str:
    folder, _, name = path.rpartition("/")
    hidden = f"{folder}/.{name}.{secrets.token_hex(6)}.tmp"
    try:
        _write_bytes(hidden, data)
    except BaseException:
        Path(hidden).unlink(missing_ok=True)
        raise
    return hidden


def _write_bytes(path: str, data: bytes) -> None:
    """Write a new file in one go; an error where one is."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError(f"{path}: the disk took only part of it")
    finally:
        os.close(descriptor)
