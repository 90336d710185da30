"""Sends spools to Kafka, each batch until the broker has it: `edge ship`, or beside an agent."""

from __future__ import annotations

import asyncio
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.agent.settings import EdgeSettings
from edge.configfile import section
from edge.kafka.link import KafkaLink
from edge.terminal import warn

if TYPE_CHECKING:
    from edge.shipping.loop import Shipper


def settings(home: Path, bootstrap: str | None = None) -> KafkaLink:
    """[edge.kafka] of the home; `bootstrap` (--kafka) replaces its address."""
    link = section(home, "edge", EdgeSettings).kafka.below(home)
    return link if bootstrap is None else link.model_copy(update={"bootstrap": bootstrap})


def run(
    home: Path,
    kafka: str | None,
    *,
    edge: str | None,
    drain: bool,
    resend: bool,
    patience_s: float,
) -> Shipper:
    """Ship until a signal, or with `drain` until all is sent; the shipper says what it did."""
    from edge.shipping.loop import ShipOptions, Shipper

    link = settings(home, kafka)
    options = ShipOptions(edge=edge, drain=drain, resend=resend, patience_s=patience_s)

    async def main() -> Shipper:
        shipper = Shipper(home, link, options, jitter=random.random, alarm=warn)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, shipper.stop)
        await shipper.run()
        return shipper

    return asyncio.run(main())


class ShipThread:
    """A shipper beside an agent in one process: `edge tail` and `edge ship` as one."""

    def __init__(
        self, home: Path, link: KafkaLink, *, edge: str | None = None, alarm: Callable[[str], None]
    ) -> None:
        self._home, self._link, self._edge, self._alarm = home, link, edge, alarm
        self._shipper: Shipper | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgetoll-ship", daemon=True)
        self.error: BaseException | None = None

    def start(self) -> ShipThread:
        """Begin; returns at once."""
        self._thread.start()
        self._ready.wait()
        return self

    def stop(self, timeout_s: float = 10.0) -> None:
        """End, after what is in flight was confirmed or `timeout_s` passed; raises its error."""
        if self._loop is not None and self._shipper is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._shipper.stop)
        self._thread.join(timeout_s)
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        async def main() -> None:
            from edge.shipping.loop import ShipOptions, Shipper

            self._loop = asyncio.get_running_loop()
            self._shipper = Shipper(
                self._home,
                self._link,
                ShipOptions(edge=self._edge),
                jitter=random.random,
                alarm=self._alarm,
            )
            self._ready.set()
            await self._shipper.run()

        try:
            asyncio.run(main())
        except BaseException as error:  # handed to whoever calls stop()
            self.error = error
            self._alarm(f"shipping ended: {error}")
        finally:
            self._ready.set()
