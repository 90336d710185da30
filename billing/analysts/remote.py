"""`edgetoll sql --serve HOST:PORT`: queries over HTTP, for readers who have a token.

    POST /sql   Authorization: Bearer TOKEN
                Accept: application/json, text/csv or application/vnd.apache.arrow.stream
                the query as text, or {"sql": "…", "params": {"month": "2026-10"}} as JSON

Each connection is a process forked from one that has no threads and no DuckDB; it asks in one more
process, which ends with its time or memory (billing/lake/limited.py). An answer is written whole
before its first byte is sent: what fails midway is an error, never a part. Settings are read for
each request: a reader taken out of them is refused from then on.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import copyfileobj
from socketserver import ForkingMixIn
from typing import BinaryIO, NoReturn

from billing.lake import limited
from billing.lake.export import write_stream
from billing.lake.query import QueryLimits, ask_alone
from billing.lake.result import QueryResult
from billing.readers.tokens import TokenBook, TokenReader
from billing.settings import SqlSettings, read_sql
from edge.errors import ConfigError, Corrupt, EdgetollError, InputError
from edge.terminal import say

QUERY_BYTES = 256 << 10
SILENCE_SECONDS = 20
CONNECTIONS = 64
SHOWN = 200
TYPES = {
    "application/json": "json",
    "text/csv": "csv",
    "application/vnd.apache.arrow.stream": "arrow",
}


class RefusedRequest(Exception):
    """A request that is answered by an error: HTTP status, what is wrong, what to do."""

    def __init__(self, status: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteQuery:
    """What a reader asks, and in which format it wants the answer."""

    text: str
    values: Mapping[str, object]
    format: str


class BoundedFile(io.RawIOBase):
    """A file that takes so many bytes and no more."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        super().__init__()
        self._file = file
        self._most = most
        self._written = 0

    def writable(self) -> bool:
        """It is there to be written."""
        return True

    def write(self, data: object) -> int:
        """Write all of it; InputError when the answer grows too large."""
        view = memoryview(data)  # type: ignore[arg-type]
        self._written += view.nbytes
        if self._written > self._most:
            raise InputError(
                f"the answer is larger than {self._most >> 20} MB", "narrow it, or ask in parts"
            )
        self._file.write(view)
        return view.nbytes


class SqlServer(ForkingMixIn, HTTPServer):
    """Accepts, and forks a process for each connection."""

    allow_reuse_address = True
    request_queue_size = CONNECTIONS
    max_children = CONNECTIONS

    def __init__(self, address: tuple[str, int], home: Path, limits: QueryLimits) -> None:
        self.home = home
        self.limits = limits
        self.places = Path(tempfile.mkdtemp(prefix="edgetoll-serve-"))
        super().__init__(address, RemoteRequest)

    def server_close(self) -> None:
        """Stop accepting, wait for those that ask, leave nothing."""
        super().server_close()
        for path in self.places.iterdir():
            path.unlink()
        self.places.rmdir()

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke is one line, not a stack."""
        error = sys.exc_info()[1]
        say(f"{client_address}: {type(error).__name__}: {error}")


class RemoteRequest(BaseHTTPRequestHandler):
    """One request, in a process of its own."""

    server: SqlServer
    protocol_version = "HTTP/1.1"
    server_version = "edgetoll"
    sys_version = ""
    timeout = SILENCE_SECONDS

    def setup(self) -> None:
        """As the base does; who does not say what it wants is cut off, however slowly it speaks."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        limited.alarm(SILENCE_SECONDS)
        super().setup()

    def do_POST(self) -> None:
        """Answer a query, or say why not."""
        began = time.monotonic()
        name, asked = "-", ""
        try:
            reader = self._reader()
            name, settings = reader.name, read_sql(self.server.home)
            query = self._query()
            limited.alarm(0)
            asked = query.text
            with tempfile.TemporaryFile() as answer:
                with self._place(name, settings):
                    self._ask(query, reader, settings, answer)
                size = answer.tell()
                answer.seek(0)
                self._head(200, next(kind for kind, one in TYPES.items() if one == query.format))
                self.send_header("Content-Length", str(size))
                self.end_headers()
                copyfileobj(answer, self.wfile, 1 << 20)
            status = 200
        except RefusedRequest as refused:
            status = refused.status
            self._refuse(status, str(refused), refused.hint)
        except EdgetollError as error:
            status = _status_of(error)
            self._refuse(status, error.message, error.hint)
        shown = " ".join(asked.split())[:SHOWN]
        say(f"{name} {status} {time.monotonic() - began:.2f} s {shown!r}")

    def do_GET(self) -> None:
        """There is nothing to get."""
        self._refuse(405, "queries are posted", "POST /sql with the query as the body")

    do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Nothing: each query is told with its reader."""

    def _reader(self) -> TokenReader:
        if self.path != "/sql":
            raise RefusedRequest(404, f"there is no {self.path[:SHOWN]!r}", "POST /sql")
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        book = TokenBook(self.server.home)
        reader = book.find(token.strip()) if kind.lower() == "bearer" else None
        if reader is None:
            raise RefusedRequest(
                401, "no reader has this token", "send Authorization: Bearer TOKEN"
            )
        return reader

    def _query(self) -> RemoteQuery:
        if self.headers.get("Transfer-Encoding"):
            raise RefusedRequest(411, "the length of the body is not told", "send Content-Length")
        said = self.headers.get("Content-Length", "")
        if not said.isascii() or not said.isdigit():
            raise RefusedRequest(411, "the length of the body is not told", "send Content-Length")
        if int(said) > QUERY_BYTES:
            raise RefusedRequest(
                413, f"the query has more than {QUERY_BYTES >> 10} KB", "shorten it"
            )
        body = self.rfile.read(int(said))
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            raise RefusedRequest(400, "the query is not UTF-8", "send it as UTF-8") from None
        kind = self.headers.get_content_type()
        asked, values = (text, {}) if kind != "application/json" else _of_json(text)
        return RemoteQuery(text=asked, values=values, format=self._format())

    def _format(self) -> str:
        accepted = [
            one.partition(";")[0].strip().lower()
            for one in self.headers.get("Accept", "*/*").split(",")
        ]
        for kind, format_ in TYPES.items():
            if kind in accepted:
                return format_
        if "*/*" in accepted or "application/*" in accepted:
            return "json"
        raise RefusedRequest(406, "no such format", f"accept one of {', '.join(TYPES)}")

    @contextmanager
    def _place(self, name: str, settings: SqlSettings) -> Iterator[None]:
        """A place among those that ask at once; the kernel frees it when this process ends."""
        with ExitStack() as held:
            for who, most in ((f"reader-{name}", settings.at_once_each), ("all", settings.at_once)):
                if not any(_taken(self.server.places / f"{who}.{n}", held) for n in range(most)):
                    raise RefusedRequest(
                        429, f"{most} queries are running already", "ask again when one is done"
                    )
            yield

    def _ask(
        self, query: RemoteQuery, reader: TokenReader, settings: SqlSettings, answer: BinaryIO
    ) -> None:
        def show(result: QueryResult) -> None:
            most = replace(result, relation=result.relation.limit(settings.rows + 1))
            file = BoundedFile(answer, settings.megabytes << 20)
            if write_stream(most, query.format, file) > settings.rows:
                raise InputError(
                    f"the answer has more than {settings.rows} rows", "narrow it, or sum it up"
                )
            answer.flush()

        ask_alone(
            self.server.home,
            query.text,
            show,
            self.server.limits,
            values=query.values,
            account=reader.account,
        )
        answer.seek(0, io.SEEK_END)

    def _head(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.close_connection = True

    def _refuse(self, status: int, message: str, hint: str) -> None:
        body = json.dumps({"error": message, "hint": hint}, ensure_ascii=False).encode() + b"\n"
        self._head(status, "application/json")
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _of_json(text: str) -> tuple[str, dict[str, object]]:
    try:
        said = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        said = None
    values = said.get("params", {}) if isinstance(said, dict) else None
    if (
        not isinstance(said, dict)
        or not isinstance(said.get("sql"), str)
        or not isinstance(values, dict)
        or said.keys() - {"sql", "params"}
        or not all(one is None or isinstance(one, str | int | Decimal) for one in values.values())
    ):
        raise RefusedRequest(
            400,
            "the body is not {«sql», «params»} as JSON",
            'send {"sql": "SELECT …", "params": {"month": "2026-10"}}, or the query as text/plain',
        )
    return said["sql"], values


def _taken(path: Path, held: ExitStack) -> bool:
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    held.callback(os.close, file)
    return True


def _status_of(error: EdgetollError) -> int:
    """The reader's fault, the lake's or the settings', or a query that took too much."""
    if isinstance(error, InputError):
        return 400
    return 503 if isinstance(error, (Corrupt, ConfigError)) else 422


def serve(home: Path, where: str, limits: QueryLimits) -> None:
    """Answer until SIGTERM or Ctrl-C. InputError when the address cannot be had."""
    host, sign, port = where.rpartition(":")
    if not sign or not port.isdigit() or int(port) > 65_535:
        raise InputError(f"«{where}» is no address", "write it like --serve 127.0.0.1:8765")
    read_sql(home)
    readers = TokenBook(home).readers()
    try:
        server = SqlServer((host.strip("[]") or "127.0.0.1", int(port)), home, limits)
    except OSError as error:
        raise InputError(f"{where}: {error.strerror or error}", "name another address") from error

    def stop(_number: int, _frame: object) -> NoReturn:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    bound, number = server.server_address[:2]
    say(f"POST http://{bound!s}:{number}/sql; DuckDB's own protocol (quack) is not served")
    say(f"readers: {_named(readers)}")
    if not str(bound).startswith("127."):
        say("tokens and rows travel as they are: let this be reached through TLS only")
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


def _named(readers: Sequence[TokenReader]) -> str:
    if not readers:
        return "nobody yet: edgetoll console --new-token NAME makes a token"
    return ", ".join(
        one.name if one.account is None else f"{one.name} (account {one.account} alone)"
        for one in readers
    )
