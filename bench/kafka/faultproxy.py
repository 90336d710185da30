"""A TCP proxy in a thread that passes bytes on, or cuts, swallows and flips what a test says."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Filter = Callable[[bytes], bytes | None]
"""Bytes of a broker's answer as they go on; None: the connection is cut instead."""


class FaultProxy:
    """Listens on `port` and talks to `target`. The switches may be changed at any time."""

    def __init__(self, port: int, target: str) -> None:
        self.address = f"127.0.0.1:{port}"
        self.on_answer: Filter | None = None
        self.silent = False
        self.refuse = False
        self.delay_s = 0.0
        """How long bytes lie still, each way: half of a round trip."""
        self.byte_pause_s = 0.0
        """A pause before each single byte of an answer."""
        self.connections = 0
        self._port = port
        self._host, _, self._target_port = target.rpartition(":")
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut(self) -> None:
        """Close every connection there is now."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for writer in list(self._writers):
            writer.close()

    def _run(self) -> None:
        async def listen() -> None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
            self._ready.set()

        self._loop.run_until_complete(listen())
        self._loop.run_forever()
        assert self._server is not None
        self._server.close()
        self._cut()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.close()
            return
        try:
            inner, outer = await asyncio.open_connection(self._host, int(self._target_port))
        except OSError:
            writer.close()
            return
        self.connections += 1
        self._writers |= {writer, outer}
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(
                self._pass_on(reader, outer, answers=False),
                self._pass_on(inner, writer, answers=True),
            )
        self._writers -= {writer, outer}

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                if self.silent:
                    continue
                if answers and self.on_answer is not None:
                    changed = self.on_answer(data)
                    if changed is None:
                        break
                    data = changed
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                step = 1 if answers and self.byte_pause_s else len(data)
                for start in range(0, len(data), step):
                    await asyncio.sleep(self.byte_pause_s if step == 1 else 0)
                    writer.write(data[start : start + step])
                    await writer.drain()
        writer.close()
