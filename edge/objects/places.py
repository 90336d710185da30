"""What a name on the command line stands for: a file, a folder, a pattern, or an object store.

The object store is pyarrow's S3 (`s3://BUCKET/PREFIX`); credentials and region come from where
AWS's own tools take them, another endpoint from `AWS_ENDPOINT_URL` or from
`?endpoint_override=HOST:PORT&scheme=http` behind the name.
"""

from __future__ import annotations

import atexit
import glob
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from edge.errors import InputError

if TYPE_CHECKING:
    from pyarrow import fs

_COPY_BYTES: Final = 4 << 20
_SCHEMES: Final = ("s3", "file")
_S3: Final = "pyarrow._s3fs"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogObject:
    """One file or object. `state` is its name, size and time of change: what it is known by.

    `scheme` and `name` are where it can be found again: `s3://`, and bucket and key.
    """

    name: str
    size: int
    modified_ns: int
    path: Path | None = None
    store: fs.FileSystem | None = None
    scheme: str = ""

    @property
    def address(self) -> str:
        """What `objects_of` finds it by."""
        return str(self.path.resolve()) if self.path else self.scheme + self.name

    @property
    def state(self) -> str:
        """A text that differs when the object does."""
        return f"{self.name}\t{self.size}\t{self.modified_ns}"

    def content_tag(self) -> str | None:
        """A text that differs when the content does, as the store says it of an opened object
        (listings carry none); None where it says none. Raises InputError when it cannot be opened.
        """
        if self.store is None:
            return None
        try:
            with self.store.open_input_stream(self.name, compression=None) as source:
                said = cast("dict[str, str]", source.metadata() or {})  # its types say bytes
        except OSError as error:
            raise self._unread(error) from error
        return f"{self.name}\tETag {said['ETag']}" if "ETag" in said else None

    def _unread(self, error: OSError) -> InputError:
        why = " ".join(str(error).split())
        return InputError(
            f"{self.name} cannot be read: {why}", "it is tried again with the next import"
        )

    @contextmanager
    def local(self) -> Iterator[Path]:
        """A file with its content, under its own name; a copy is gone afterwards.

        Raises InputError when it cannot be read.
        """
        if self.path is not None:
            yield self.path
            return
        assert self.store is not None, "an object without a file has a store"
        with TemporaryDirectory(prefix="edgetoll-") as folder:
            copy = Path(folder) / self.name.rpartition("/")[2]
            try:
                # Or pyarrow would unpack what is called .gz, and the content be taken for plain.
                with (
                    self.store.open_input_stream(self.name, compression=None) as source,
                    open(copy, "wb") as target,
                ):
                    while data := source.read(_COPY_BYTES):
                        target.write(data)
            except OSError as error:
                raise self._unread(error) from error
            yield copy


def is_plain(names: Sequence[str]) -> bool:
    """Whether all names are files: no folder, pattern or object store is among them."""
    return not any(_is_store(name) or os.path.isdir(name) or _is_pattern(name) for name in names)


def objects_of(names: Sequence[str]) -> list[LogObject]:
    """What `names` stand for, the newest last, each once. Raises InputError for what is not there,
    and for a folder, pattern or prefix without any file.
    """
    found: dict[str, LogObject] = {}
    for name in names:
        here = list(_in_store(name) if _is_store(name) else _local(name))
        if not here:
            raise InputError(f"{name}: there is no file", "check the name")
        found.update((each.name, each) for each in here)
    return sorted(found.values(), key=lambda each: (each.modified_ns, each.name))


def _is_store(name: str) -> bool:
    return "://" in name and urlsplit(name).scheme in _SCHEMES


def _is_pattern(name: str) -> bool:
    return glob.has_magic(name) and not os.path.exists(name)


def _local(name: str) -> Iterator[LogObject]:
    if _is_pattern(name):
        paths = [Path(each) for each in glob.glob(name, recursive=True)]
    elif os.path.isdir(name):
        paths = [path for path in Path(name).rglob("*") if not path.name.startswith(".")]
    else:
        paths = [Path(name)]
    for path in paths:
        try:
            about = path.stat()
        except OSError as error:
            raise InputError(
                f"{path} cannot be read: {error.strerror}", "check the path"
            ) from error
        if path.is_file():
            yield LogObject(
                name=str(path.resolve()),
                size=about.st_size,
                modified_ns=about.st_mtime_ns,
                path=path,
            )


def _in_store(name: str) -> Iterator[LogObject]:
    from pyarrow import ArrowInvalid, fs

    try:
        kind = _s3() if name.startswith("s3:") else fs.FileSystem
        store, base = kind.from_uri(_with_endpoint(name))
        itself = store.get_file_info(base)
        if itself.type == fs.FileType.File:
            listed = [itself]
        else:
            inside = fs.FileSelector(base, recursive=True, allow_not_found=True)
            listed = store.get_file_info(inside)
        if not listed:  # a prefix is no folder: what begins with it, in the folder around it
            around = base.rpartition("/")[0]
            inside = fs.FileSelector(around, recursive=True, allow_not_found=True)
            listed = [each for each in store.get_file_info(inside) if each.path.startswith(base)]
    except (OSError, ArrowInvalid, ValueError) as error:
        why = " ".join(str(error).split())[:300]
        raise InputError(f"{name} cannot be listed: {why}", "check name and credentials") from error
    for each in listed:
        if each.type == fs.FileType.File:
            yield LogObject(
                name=each.path,
                size=each.size or 0,
                modified_ns=each.mtime_ns or 0,
                store=store,
                scheme=f"{name.partition('://')[0]}://",
            )


def _s3() -> type[fs.FileSystem]:
    """pyarrow's S3, which no other command imports: the program withholds it, since it is slow."""
    for finder in sys.meta_path:
        if release := getattr(finder, "release", None):
            release(_S3)
    module = import_module(_S3)
    module.ensure_s3_initialized()
    atexit.register(module.finalize_s3)
    found: type[fs.FileSystem] = module.S3FileSystem
    return found


def _with_endpoint(name: str) -> str:
    """`name` with the endpoint that the environment gives."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint or not name.startswith("s3://") or "endpoint_override" in name:
        return name
    parts = urlsplit(endpoint)
    mark = "&" if "?" in name else "?"
    return f"{name}{mark}endpoint_override={parts.netloc}&scheme={parts.scheme}"
