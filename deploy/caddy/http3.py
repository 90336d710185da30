"""A client that speaks HTTP/3: many requests as streams of one QUIC connection (aioquic)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent


@dataclass(slots=True)
class Answer:
    """What came back for one request: its status, and how many bytes of body."""

    status: int = 0
    body: int = 0


class _Client(QuicConnectionProtocol):
    """One connection; each request is a stream of its own."""

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self._http = H3Connection(self._quic)
        self._waiting: dict[int, tuple[Answer, asyncio.Future[Answer]]] = {}

    def ask(self, host: str, path: str) -> asyncio.Future[Answer]:
        """One GET; the answer comes when its stream has ended."""
        stream = self._quic.get_next_available_stream_id()
        head = {":method": "GET", ":scheme": "https", ":authority": host, ":path": path}
        pairs = [(name.encode(), value.encode()) for name, value in head.items()]
        self._http.send_headers(stream, pairs, end_stream=True)
        ended: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[stream] = (Answer(), ended)
        self.transmit()
        return ended

    def quic_event_received(self, event: QuicEvent) -> None:
        """What aioquic calls for everything that comes."""
        if isinstance(event, ConnectionTerminated):
            for _, ended in self._waiting.values():
                ended.set_exception(ConnectionError(event.reason_phrase))
            self._waiting.clear()
            return
        for found in self._http.handle_event(event):
            self._take(found)

    def _take(self, event: H3Event) -> None:
        if not isinstance(event, HeadersReceived | DataReceived):
            return
        answer, ended = self._waiting[event.stream_id]
        if isinstance(event, HeadersReceived):
            answer.status = int(dict(event.headers).get(b":status", b"0")) or answer.status
        else:
            answer.body += len(event.data)
        if event.stream_ended:
            del self._waiting[event.stream_id]
            ended.set_result(answer)


async def _ask(port: int, requests: Sequence[tuple[str, str]]) -> list[Answer]:
    settings = QuicConfiguration(
        is_client=True,
        alpn_protocols=H3_ALPN,
        verify_mode=ssl.CERT_NONE,
        server_name=requests[0][0],
    )
    async with connect("127.0.0.1", port, configuration=settings, create_protocol=_Client) as made:
        assert isinstance(made, _Client), "made by create_protocol"
        return list(await asyncio.gather(*(made.ask(host, path) for host, path in requests)))


def ask_http3(port: int, requests: Sequence[tuple[str, str]]) -> list[Answer]:
    """The answers to (host, path) requests, all at once over one connection to 127.0.0.1:`port`."""
    return asyncio.run(asyncio.wait_for(_ask(port, requests), timeout=60))
