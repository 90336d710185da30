"""What goes wrong, as RFC 9457 says it to programs."""

from __future__ import annotations

from starlette.responses import JSONResponse

from edge.errors import ConfigError, Corrupt, EdgetollError, InputError

TITLES = {
    400: "This cannot be asked",
    401: "Who asks?",
    403: "Not for this reader",
    404: "Not there",
    405: "Nothing is changed here",
    500: "A mistake of ours",
    503: "Not now",
}


class NotThere(InputError):
    """What was asked for is not there, or not for this reader: neither is told from the other."""


class NotForReader(InputError):
    """A page about all customers, asked for by a reader who sees one account."""


def status_of(error: EdgetollError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, NotThere):
        return 404
    if isinstance(error, NotForReader):
        return 403
    if isinstance(error, InputError) and not isinstance(error, (Corrupt, ConfigError)):
        return 400
    return 503


def problem(status: int, what: str, hint: str, path: str) -> JSONResponse:
    """A problem document: what is wrong, and what to do about it."""
    return JSONResponse(
        {
            "type": "about:blank",
            "title": TITLES.get(status, "Problem"),
            "status": status,
            "detail": what,
            "hint": hint,
            "instance": path,
        },
        status,
        media_type="application/problem+json",
    )
