"""Serves /metrics, /healthz and /readyz of a daemon, on 127.0.0.1 unless told otherwise.

`/healthz` says whether the process should be started again, `/readyz` whether all is well: a red
check or a receiver that is away is no reason to restart. Nobody who connects can hold the daemon
up: few are answered at once, and each for a few seconds.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

import orjson
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from billing.daemon.log import log
from billing.daemon.metrics import Board, HomeCollector, hangs, problems, read_statuses
from edge.errors import ConfigError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

READ_SECONDS = 10
"""A client that says nothing for so long is left."""
ANSWER_SECONDS = 30
"""… and one that is not done by then, however it drips."""
AT_ONCE = 16

POLL_SECONDS = timedelta(milliseconds=100).total_seconds()


class _Handler(WSGIRequestHandler):
    timeout = READ_SECONDS

    def handle(self) -> None:
        """Answer one request, and hang up when it takes too long."""
        late = threading.Timer(ANSWER_SECONDS, self._hang_up)
        late.daemon = True
        late.start()
        try:
            super().handle()
        except OSError:
            pass  # the client went away: nobody is left to be answered
        finally:
            late.cancel()

    def _hang_up(self) -> None:
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has gone by itself

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name it has)
        """Scrapes are not worth a line."""


class _Server(ThreadingWSGIServer):
    """Answers at most AT_ONCE clients; who comes beside them is hung up on."""

    daemon_threads = True

    def server_bind(self) -> None:
        self.places = threading.BoundedSemaphore(AT_ONCE)
        super().server_bind()

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        if not self.places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """What breaks while a client is answered is a line of the log like any other."""
        log("answer_failed", trace=True)


def application(home: Path, board: Board, clock: Callable[[], datetime]) -> WSGIApplication:
    """The three pages."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(HomeCollector(home, board, clock=clock))
    metrics = make_wsgi_app(registry)

    def alive() -> tuple[str, list[str]]:
        with board.lock:
            hanging = hangs(board, now=clock())
        return "healthy", [] if hanging is None else [hanging]

    def ready() -> tuple[str, list[str]]:
        statuses = read_statuses(home)
        with board.lock:
            return "ready", problems(board, statuses, now=clock())

    pages = {"/healthz": alive, "/readyz": ready}

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if path == "/metrics":
            pieces: Iterable[bytes] = metrics(environ, start_response)
            return pieces
        if path not in pages:
            start_response("404 Not Found", [("content-type", "text/plain")])
            return [b"/metrics, /healthz or /readyz\n"]
        word, wrong = pages[path]()
        status = "503 Service Unavailable" if wrong else "200 OK"
        start_response(status, [("content-type", "application/json")])
        return [orjson.dumps({word: not wrong, "problems": wrong}) + b"\n"]

    return answer


@contextmanager
def serving(
    home: Path, board: Board, *, listen: str, clock: Callable[[], datetime]
) -> Iterator[int]:
    """Serve the pages at `listen` (HOST:PORT, port 0: any); yields the port.

    ConfigError names the setting when the address is taken or none of this machine's.
    """
    host, _, port = listen.rpartition(":")
    pages = application(home, board, clock)
    try:
        server = make_server(host, int(port), pages, server_class=_Server, handler_class=_Handler)
    except OSError as error:
        raise ConfigError(
            f"[billing.daemon] listen: {listen} cannot be served: {error.strerror or error}",
            "another program has that port, or the host is not this machine's: set another"
            ' `listen = "127.0.0.1:PORT"`',
        ) from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
