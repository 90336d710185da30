"""What lives longer than a page, by a real nginx and a real Caddy: one event each, at its end."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from deploy.caddy.real_caddy import RealCaddy
from deploy.nginx.real_nginx import RealNginx
from edge.event import CLASSES
from edge.logs.formats.shipped import FORMATS
from edge.terminal import now
from examples.stage import move_log

pytestmark = [pytest.mark.needs_nginx, pytest.mark.needs_caddy]
SOCKET, CALLS, RANGES = "www.example.com", "static.example.net", "ranges.example"
CONNECT, LONG = "far.example", "long.example"
HUGE = 64 << 20
"""More than the buffers between a server and a client that does not read."""
DECEMBER_MS = int(datetime(2025, 12, 1, tzinfo=UTC).timestamp()) * 1000

Event = tuple[int, str, int, int]
"""Time, class, status and bytes."""


def now_ms() -> int:
    return int(now().timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Served:
    """What was asked of a server, and the events by host that its log came to.

    `early`: hosts that were in the log before their request had ended. `statuses`: what the client
    was answered. `middle_ms`: while the long download was still running.
    """

    form: str
    log: Path
    events: dict[str, list[Event]]
    early: list[str]
    statuses: dict[str, list[int]]
    middle_ms: int


def events_of(log: Path, form: str, at_ms: int) -> dict[str, list[Event]]:
    parsed = FORMATS[form].make().parse(log.read_bytes(), at_ms)
    assert parsed.refused == ()
    columns, found = parsed.columns, dict[str, list[Event]]()
    for row in range(len(columns)):
        event = (
            int(columns.time_ms[row]),
            CLASSES[int(columns.class_code[row])],
            int(columns.status[row]),
            int(columns.bytes_sent[row]),
        )
        found.setdefault(columns.domains[columns.domain_index[row]], []).append(event)
    return found


def echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


@pytest.fixture(scope="module")
def sockets() -> Iterator[int]:
    """The port of a WebSocket server that echoes."""
    with serve(echo, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.socket.getsockname()[1]
        server.shutdown()


@pytest.fixture(scope="module")
def calls() -> Iterator[int]:
    """The port of a gRPC server whose one call answers each message of a stream."""
    handler = grpc.stream_stream_rpc_method_handler(lambda requests, _context: requests)
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("calls.Test", {"Echo": handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


def talk_by_socket(server: RealNginx | RealCaddy) -> bool:
    """Ten messages each way; whether the request was in the log before it ended."""
    insecure = ssl.create_default_context()
    insecure.check_hostname, insecure.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", server.secure))
    url = f"wss://{SOCKET}/socket"
    with connect(url, sock=plain, ssl=insecure, server_hostname=SOCKET) as opened:
        for number in range(10):
            opened.send(f"message {number}")
            assert opened.recv() == f"message {number}"
        return SOCKET in server.log.read_text()


def call(server: RealNginx | RealCaddy) -> bool:
    """One call of five messages each way, and another on the same connection."""
    trusted = grpc.ssl_channel_credentials((server.folder / "certificate.pem").read_bytes())
    named = [("grpc.ssl_target_name_override", CALLS)]
    with grpc.secure_channel(f"127.0.0.1:{server.secure}", trusted, named) as channel:
        echoed = channel.stream_stream("/calls.Test/Echo")
        for _ in range(2):
            assert list(echoed(iter([b"x" * 100] * 5))) == [b"x" * 100] * 5
    return False


def ask(server: RealNginx | RealCaddy, head: str) -> socket.socket:
    """A request whose answer nobody has read; the client's own buffer is small."""
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    opened.connect(("127.0.0.1", server.plain))
    opened.sendall(head.encode() + b"Connection: close\r\n\r\n")
    return opened


def rest_of(opened: socket.socket) -> bytes:
    with opened:
        return b"".join(iter(lambda: opened.recv(1 << 20), b""))


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def served(
    request: pytest.FixtureRequest,
    sockets: int,
    calls: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Served:
    """One server, asked for one of each; then stopped, and its log read."""
    kinds = {"nginx": RealNginx, "caddy": RealCaddy}
    folder = tmp_path_factory.mktemp(request.param) / "server"
    statuses: dict[str, list[int]] = {}
    with kinds[request.param](folder, sockets=sockets, calls=calls) as server:
        server.big.write_bytes(b"")
        with open(server.big, "r+b") as file:
            file.truncate(HUGE)
        early = [SOCKET] * talk_by_socket(server) + [CALLS] * call(server)
        heads = [(CONNECT, f"CONNECT {CONNECT}:443 HTTP/1.1\r\nHost: {CONNECT}:443\r\n")]
        for ranges in ("0-99", "1000-1999", "0-9,20-29"):
            range_head = f"GET /file HTTP/1.1\r\nHost: {RANGES}\r\nRange: bytes={ranges}\r\n"
            heads.append((RANGES, range_head))
        for host, head in heads:
            answer = rest_of(ask(server, head))
            statuses.setdefault(host, []).append(int(answer.split(b" ", 2)[1]))
        opened = ask(server, f"GET /file HTTP/1.1\r\nHost: {LONG}\r\n")
        opened.recv(1000)
        early += [LONG] * (LONG in server.log.read_text())
        middle_ms = now_ms()
        assert len(rest_of(opened)) > HUGE - 1000
        server.stop()
    found = events_of(server.log, request.param, now_ms())
    return Served(request.param, server.log, found, early, statuses, middle_ms)


def test_nothing_is_logged_before_its_end(served: Served) -> None:
    assert served.early == []


def test_a_websocket_is_one_event_whatever_goes_through_it(served: Served) -> None:
    ((_, kind, status, size),) = served.events[SOCKET]
    assert (kind, status) == ("https", 101)
    assert size > 10 * len("message 0") or served.form == "caddy", "what went to the viewer"


def test_a_grpc_call_is_one_event_whatever_it_streams(served: Served) -> None:
    assert [event[1:3] for event in served.events[CALLS]] == [("https", 200)] * 2
    assert all(event[3] >= 500 for event in served.events[CALLS])


def test_connect_is_one_event_of_the_viewers_connection(served: Served) -> None:
    """nginx refuses it before it has read a Host, and logs its own name; Caddy logs the Host."""
    known = (SOCKET, CALLS, RANGES, LONG)
    others = {host: events for host, events in served.events.items() if host not in known}
    ((host, ((_, kind, status, _),)),) = others.items()
    assert (kind, [status]) == ("http", served.statuses[CONNECT])
    assert host == (CONNECT if served.form == "caddy" else "_")


def test_each_range_of_a_file_is_one_event_of_the_bytes_it_sent(served: Served) -> None:
    assert served.statuses[RANGES] == [206, 206, 206]
    first, second, both = served.events[RANGES]
    assert {event[2] for event in served.events[RANGES]} == {206}
    assert 100 <= first[3] < 1000 <= second[3] < 2000
    assert 20 < both[3] < 2000


def test_a_download_over_the_months_end_counts_in_the_month_it_ended_in(
    served: Served, tmp_path: Path
) -> None:
    """The server's own lines, moved in time so that December begins while the download runs."""
    ((ended_ms, _, status, size),) = served.events[LONG]
    assert (status, size >= HUGE) == (200, True)
    moved = tmp_path / "moved.log"
    last_ms = max(event[0] for events in served.events.values() for event in events)
    last = datetime.fromtimestamp((DECEMBER_MS + last_ms - served.middle_ms) / 1000, UTC)
    move_log(served.log, moved, last)
    ((moved_ms, *_),) = events_of(moved, served.form, now_ms())[LONG]
    assert moved_ms >= DECEMBER_MS
    assert abs(moved_ms - DECEMBER_MS - (ended_ms - served.middle_ms)) <= 1
