"""Who may look: a link that works once, or a token; then a cookie that lives in this process only.

Every request passes `Guard`, whatever page or file it asks for: it finds the reader, and nothing
behind it asks again. What the reader sees is decided by the connection that is opened for it
(billing/lake/own_rows.py), not by pages.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing.console.problems import problem
from billing.readers.tokens import TokenBook, TokenReader
from edge.errors import EdgetollError

COOKIE = "edgetoll"
SESSION_SECONDS = int(timedelta(hours=12).total_seconds())
SESSIONS = 1_000
OPERATOR = TokenReader(name="(the link)")
"""Who started the console and opened the link it printed."""
OPEN = ("/enter", "/static/")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "private, no-cache",
    "vary": "Cookie, Authorization",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that came in: who it is, and until when by this process's clock."""

    reader: TokenReader
    until: float


class Door:
    """Lets readers in. `random` gives so many bytes that nobody can guess."""

    def __init__(
        self,
        home: Path,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.book = TokenBook(home)
        self._random = random
        self._clock = clock
        self._keys: set[str] = set()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def one_time_key(self) -> str:
        """The key of a new link, which lets in whoever opens it first."""
        key = self._random(32).hex()
        with self._lock:
            self._keys.add(key)
        return key

    def enter_by_key(self, key: str) -> str | None:
        """A session for a key that was not used yet; None: it was, or it is none."""
        with self._lock:
            if key not in self._keys:
                return None
            self._keys.remove(key)
        return self._begin(OPERATOR)

    def enter_by_token(self, token: str) -> str | None:
        """A session for a token of the settings; None: it is nobody's."""
        reader = self.book.find(token)
        return None if reader is None else self._begin(reader)

    def leave(self, session: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(session, None)

    def who(self, headers: Headers) -> TokenReader | None:
        """Who asks, by the token or else the cookie of a request; None: nobody who may."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme:
            return self.book.find(token.strip()) if scheme.lower() == "bearer" else None
        session = session_of(headers)
        with self._lock:
            found = self._sessions.get(session)
            if found is None or self._clock() > found.until:
                self._sessions.pop(session, None)
                return None
        if found.reader is OPERATOR or self.book.still_there(found.reader):
            return found.reader
        self.leave(session)
        return None

    def _begin(self, reader: TokenReader) -> str:
        session = self._random(32).hex()
        with self._lock:
            self._sessions[session] = Session(reader=reader, until=self._clock() + SESSION_SECONDS)
            while len(self._sessions) > SESSIONS:
                self._sessions.popitem(last=False)
        return session


def session_of(headers: Headers) -> str:
    """The session that a request's cookie names; blank: none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def with_session(response: Response, session: str, *, secure: bool) -> Response:
    """`response` with the cookie; only sent to us, not by links from elsewhere, not to scripts."""
    response.set_cookie(
        COOKIE, session, max_age=SESSION_SECONDS, httponly=True, samesite="strict", secure=secure
    )
    return response


class Guard:
    """Stands before everything: the host asked for, the method, the reader; and adds headers."""

    def __init__(self, app: ASGIApp, *, door: Door, hosts: frozenset[str]) -> None:
        self._app = app
        self._door = door
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        await (refused or self._app)(scope, receive, sent)

    def _refused(self, scope: Scope) -> ASGIApp | None:
        headers, path = Headers(scope=scope), scope["path"]
        host = headers.get("host", "").lower()
        if host.rpartition(":")[0] not in self._hosts and host not in self._hosts:
            return PlainTextResponse(
                "Not asked for by a name it knows: add it to [billing.console] hosts.\n", 421
            )
        if scope["method"] not in ("GET", "HEAD") and path not in OPEN:
            answer = problem(405, "the console only reads", "commands act", path)
            answer.headers["allow"] = "GET, HEAD"
            return answer
        if path.startswith(OPEN):
            return None
        try:
            reader = self._door.who(headers)
        except EdgetollError as error:
            return problem(503, error.message, error.hint, path)
        if reader is None:
            if path.startswith("/api/") or "authorization" in headers:
                answer = problem(401, "no token that may read", "send Authorization: Bearer", path)
                answer.headers["www-authenticate"] = "Bearer"
                return answer
            query = scope["query_string"].decode("latin-1")
            wanted = f"{path}?{query}" if query else path
            return RedirectResponse(f"/enter?next={quote(wanted, safe='')}", 303)
        scope.setdefault("state", {})["reader"] = reader
        return None


def inside(address: str) -> str:
    """`address` when it is one of this site, else its front page."""
    usual = address.startswith("/") and not address.startswith(("//", "/\\", "/enter"))
    return address if usual and address.isprintable() else "/"


def reader_of(request: Request) -> TokenReader:
    """Who asks, as the guard found."""
    found: TokenReader = request.state.reader
    return found
