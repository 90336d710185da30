"""What to do when the machine, not the program or its data, is in the way: a full disk, say.

A library says it in words that end in the system's own (`No space left on device`), so the words
are what is looked for.
"""

from __future__ import annotations

import errno
import os

_FREE = "free space on that disk, then run the command again; nothing needs to be moved or deleted"
_OTHER = "a file stands where a folder should, or the reverse: put it elsewhere, then run it again"
_REMEDIES = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: f"the quota of this user is used up: {_FREE}",
    errno.EFBIG: "a file may not grow further here: raise the limit (ulimit -f)",
    errno.EROFS: "the disk is mounted read-only: mount it writable, then run the command again",
    errno.EACCES: "run it as the user who owns the home, or give this user its files",
    errno.EPERM: "run it as the user who owns the home, or give this user its files",
    errno.EIO: "the disk fails: look at the system's log, and copy the home to another disk",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine: close some programs",
    errno.EEXIST: _OTHER,
    errno.ENOTDIR: _OTHER,
    errno.EISDIR: _OTHER,
    errno.ENOMEM: "memory is short: close other programs, then run the command again",
}


def is_interrupt(error: BaseException) -> bool:
    """Whether somebody pressed Ctrl-C: in the middle of a query DuckDB makes a RuntimeError of it,
    which says nothing of the store.
    """
    return isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt)


def remedy(said: str) -> str | None:
    """What to do about `said`, an error in the words of the system; None when it is none of it."""
    for number, advice in _REMEDIES.items():
        if os.strerror(number).lower() in said.lower():
            return advice
    if "out of memory" in said.lower():
        return f"{_REMEDIES[errno.ENOMEM]}; or raise memory_limit in edgetoll.toml"
    return None
