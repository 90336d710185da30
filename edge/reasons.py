"""Why something is not counted: the one list of reasons, for lines, events and batches alike.

The order of the members is the order of precedence: where several fit, the first one is the
reason. Nothing refused is dropped: it is counted under its reason and kept for a person. The values
stand in files, in `--json` and in views, so a value is never renamed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a line, an event or a batch is not counted, in order of precedence."""

    CLOSED = "closed"
    """An emitter was given the event after it had been closed."""
    FULL = "full"
    """An emitter holds as many waiting events as it may."""
    DAMAGED = "damaged"
    """The bytes in a spool are no whole frame."""
    VERSION = "version"
    """Another version of the format, or a kind that this one does not know."""
    CHECKSUM = "checksum"
    """A header or payload that differs from its checksum or length."""
    TOO_LARGE = "too_large"
    """More bytes or events than one line, message or batch may have."""
    RATIO = "ratio"
    """A payload that would decompress to more than a decoder may make of it."""
    SIGNATURE = "signature"
    """Not signed by a known key of that edge, valid now."""
    FORK = "fork"
    """The identity of a batch that was counted, with other content."""
    SYNTAX = "syntax"
    """Not the form of its format: no JSON object, no line of that log."""
    NOT_HTTP = "not_http"
    """A connection without an HTTP request: nothing to bill (DOMAIN §4)."""
    NOT_ACCESS = "not_access"
    """A line of the same file that is no access record (a debug line of Caddy, say)."""
    SCHEMA = "schema"
    """A field that an event needs is missing, or is of another type."""
    UNTRUSTED = "untrusted"
    """A JSON event of a source that may report none: not listed, an edge's name, or turned off."""
    CLOCK = "clock"
    """A time that cannot be read, before 2000, or more than a day ahead."""
    SCHEME = "scheme"
    """A scheme that is neither http nor https by any of their names."""
    STATUS = "status"
    """A status outside 0 to 999."""
    BYTES = "bytes"
    """A byte count outside 0 to 2^50, or a batch whose sum 64 bits could not hold."""
    HOST_TOO_LONG = "host_too_long"
    """A name in a batch that is longer than a name can be."""
    SNI_MISMATCH = "sni_mismatch"
    """The TLS server name and the Host of one request are different names (DESIGN 3.1)."""
    DOMAIN = "domain"
    """A JSON event for a name that its source may not report."""
    KEY = "key"
    """A message whose key is not its source: its duplicate could be in another partition."""
    UNCHECKABLE = "uncheckable"
    """Older than the window of known ids: whether it was counted cannot be told."""
    CONFLICT = "conflict"
    """The id of an event that was counted, with other content."""
    REPEATED_ID = "repeated_id"
    """The request id of an earlier line of the same block, where the settings drop repeats."""
    UNTERMINATED = "unterminated"
    """A last line without an end that is no whole record: read when the file has grown."""
    REFUSED_BEFORE = "refused_before"
    """A line that an earlier import of the same content refused."""
    ERROR = "error"
    """A defect of ours met this event: the log of the program has the traceback."""


UNREADABLE: Final = frozenset(
    {
        Reason.TOO_LARGE,
        Reason.SYNTAX,
        Reason.SCHEMA,
        Reason.CLOCK,
        Reason.SCHEME,
        Reason.STATUS,
        Reason.BYTES,
        Reason.ERROR,
    }
)
"""Reasons that say a line was not understood: many of them mean a wrong format, not odd requests.

The others are answers (no access record, no HTTP, another name than the connection's).
"""
