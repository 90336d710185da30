"""What can go wrong with a store, and which of it can pass by itself."""

from __future__ import annotations

import errno

import duckdb

from edge.errors import Busy, Corrupt, EdgetollError

_REFUSED = (
    "No space left",
    "File too large",
    "Disk quota",
    "Permission denied",
    "Read-only file system",
    "Too many open files",
)
"""What the system says while it does not let a file be written, in DuckDB's messages."""

_PASSING = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.InterruptException,
    duckdb.TransactionException,
)
"""Errors of DuckDB that another try may not meet: disk, lock, memory, a conflict."""

_PASSING_INSIDE = ("IO Error", "Out of Memory", "Could not", "Cannot allocate", *_REFUSED)
"""... as they stand in the message of a fatal error, which only names what came first."""

_LASTING = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP)
)
"""Errors of the system that stay until a person changes something."""

_IN_USE = ("could not set lock", "different configuration than existing connections")
"""What DuckDB says of a file that a worker holds: one of another process, one of this (`run`)."""

REBUILD = (
    "stop the worker, remove usage.duckdb and usage.duckdb.wal and start it again:"
    " it is rebuilt from the last checkpoint and the spool or Kafka"
)


class Uncertain(EdgetollError):
    """COMMIT raised: the store was opened anew, and the caller has to read what is stored."""


class Unavailable(EdgetollError):
    """The system does not let the store be opened or written now; nothing is damaged."""


class LastingFault(EdgetollError):
    """An error that would come again at each try: the worker ends instead of trying for ever."""

    exit_code = 70


def can_pass(error: Exception) -> bool:
    """Whether trying again later may meet no error: a full disk, a lock, memory, a conflict.

    Any other error of SQL (a conversion, a constraint, a name, a syntax) comes again each time.
    """
    if isinstance(error, (Uncertain, Unavailable)):
        return True
    if isinstance(error, duckdb.FatalException):
        return any(said in str(error) for said in _PASSING_INSIDE)
    if isinstance(error, duckdb.Error):
        return isinstance(error, _PASSING)
    return isinstance(error, OSError) and error.errno not in _LASTING


def lasting(error: Exception) -> LastingFault:
    """The one line with which a worker ends that met `error`."""
    return LastingFault(
        f"metering ends: {type(error).__name__}: {first_line(error)}",
        "it would fail the same way again: nothing was counted twice or lost; report this line,"
        " then start it with a version that mends it",
    )


def as_one_line(error: Exception) -> Exception:
    """What ends a worker: an error of SQL or of the system in one line, any other as it is."""
    return lasting(error) if isinstance(error, (duckdb.Error, OSError)) else error


def not_opened(path: object, error: duckdb.Error) -> EdgetollError:
    """Why a store does not open: somebody holds it, the system refuses, or it is damaged."""
    text = str(error)
    if "Could not set lock" in text:
        return Busy(
            f"{path} is open in another process: {first_line(error)}",
            "stop that process; readers use the lake and live/, never this file",
        )
    if isinstance(error, duckdb.IOException) and any(said in text for said in _REFUSED):
        return Unavailable(f"{path}: {first_line(error)}", "free space, or allow it")
    return Corrupt(f"{path}: {first_line(error)}", REBUILD)


def is_in_use(error: duckdb.Error) -> bool:
    """Whether a store does not open because a worker holds it, of another process or of this."""
    return any(said in str(error).lower() for said in _IN_USE)


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
