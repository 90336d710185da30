"""Pages that follow what happens, by server-sent events: what many look at is asked once.

While somebody looks, one task sees each second whether the lake or live/ moved. If so, the live
blocks of each page that is open are made anew, once for all who look at it, and those that changed
are sent. Nobody looks: nothing is asked.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from billing.console.reading import LakeReader
from billing.console.site.pages import SitePage
from billing.readers.tokens import TokenReader
from edge.errors import EdgetollError

LOOK = timedelta(seconds=1).total_seconds()
STILL_THERE = timedelta(seconds=15).total_seconds()
"""A line is sent at least that often, so that proxies keep the stream and who left is noticed."""
MOST = 500
"""Streams at the same time; a browser that gets none shows the page as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A page as somebody sees it: the same for all with the same address and the same rows."""

    page: SitePage
    path: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...]
    reader: TokenReader

    def __hash__(self) -> int:
        return hash((self.page.path, self.path, self.query, self.reader.account))


@dataclass(slots=True, kw_only=True)
class _Followed:
    """Who follows a topic, and what they have: the blocks by anchor, and when each was asked."""

    queues: set[asyncio.Queue[dict[str, str]]] = field(default_factory=set)
    blocks: dict[str, str] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)


Builds = Callable[[Topic, Callable[[str, int], bool]], Mapping[str, str]]
"""Makes the live blocks of a topic: by anchor their HTML. The second says whether a block, by its
question and its seconds, is due.
"""


class Feed:
    """Follows topics. Its methods run in the server's event loop."""

    def __init__(self, lake: LakeReader, builds: Builds) -> None:
        self._lake = lake
        self._builds = builds
        self._topics: dict[Topic, _Followed] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether nobody more can follow."""
        return sum(len(one.queues) for one in self._topics.values()) >= MOST

    async def follow(self, topic: Topic, may_still: Callable[[], bool]) -> AsyncIterator[bytes]:
        """The events of a topic for one browser, until it leaves or may no longer look."""
        followed = self._topics.setdefault(topic, _Followed())
        queue: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        followed.queues.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            yield b"retry: 5000\n: follows\n\n"
            if followed.blocks:
                yield _event(followed.blocks)
            while await asyncio.to_thread(may_still):
                try:
                    blocks = await asyncio.wait_for(queue.get(), STILL_THERE)
                except TimeoutError:
                    yield b": still\n\n"
                    continue
                while not queue.empty():
                    blocks |= queue.get_nowait()
                yield _event(blocks)
        finally:
            followed.queues.discard(queue)
            if not followed.queues:
                self._topics.pop(topic, None)

    async def _look(self) -> None:
        seen = ""
        while self._topics:
            version = await asyncio.to_thread(self._lake.version)
            for topic, followed in list(self._topics.items()):
                if version != seen or not followed.asked:
                    await self._tell(topic, followed)
            seen = version
            await asyncio.sleep(LOOK)

    async def _tell(self, topic: Topic, followed: _Followed) -> None:
        now = time.monotonic()

        def is_due(question: str, every: int) -> bool:
            due = now - followed.asked.get(question, -every) >= every
            if due:
                followed.asked[question] = now
            return due

        # What is wrong is told by the page itself at the next look; here it stays as it was.
        with suppress(EdgetollError):
            made = await asyncio.to_thread(self._builds, topic, is_due)
            changed = {
                anchor: html for anchor, html in made.items() if followed.blocks.get(anchor) != html
            }
            followed.blocks |= changed
            if changed:
                for queue in followed.queues:
                    queue.put_nowait(dict(changed))


def _event(blocks: Mapping[str, str]) -> bytes:
    return f"data: {json.dumps(blocks, ensure_ascii=False)}\n\n".encode()
