"""What can go wrong, in one tree. Each message names the ids, each hint says what to do.

EdgetollError            exit 1
  ConfigError            a file or setting is wrong: names file, key and line
  InputError             what was given cannot be used; nothing was changed
  ConflictError          the same id with other content, or two facts that exclude each other
  Corrupt                stored bytes do not match their checksum or chain: stop, do not guess
  LockRefused            the system refuses a lock that nobody holds: waiting does not help
  Busy                   exit 75: somebody else holds the lock; trying again later is right
"""

from __future__ import annotations


class EdgetollError(Exception):
    """An error a person can act on: one line of what is wrong and one line of what to do."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class ConfigError(EdgetollError):
    """A configuration file or environment setting cannot be used."""


class InputError(EdgetollError):
    """Something handed to a command cannot be used; nothing was changed."""


class ConflictError(EdgetollError):
    """The same id stands for other content already, or two facts exclude each other."""


class Corrupt(EdgetollError):
    """Stored bytes do not match their checksum or chain."""


class LockRefused(EdgetollError):
    """A lock cannot be taken though nobody holds it; `errno` is the system's reason."""

    def __init__(self, message: str, hint: str, errno: int | None) -> None:
        super().__init__(message, hint)
        self.errno = errno


class Busy(EdgetollError):
    """The lock is held by another process, which the message names."""

    exit_code = 75
