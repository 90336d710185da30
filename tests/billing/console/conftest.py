"""One home for the console's tests, with names that an attacker chose; the real server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

import edgetoll
from billing.console.access import Door
from billing.console.app import application
from billing.readers.tokens import hash_of
from metering.closed import SequenceGap
from tests.billing.homes import Use, close_hour
from tests.billing.invoices.documents.test_browser import FLAGS
from tests.billing.invoices.world import BOOK, GB, World
from tests.billing.runner import rate
from tests.effort import PATIENCE_S

HOUR = timedelta(hours=1)
OCTOBER = datetime(2026, 10, 5, 8, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 3, 8, tzinfo=UTC)
ISSUED = datetime(2026, 11, 2, 4, tzinfo=UTC)
TODAY = datetime(2026, 11, 25, 12, tzinfo=UTC)
NAMES = 250
"""More than a page has rows."""
LOST_EDGE = "fra-9"
HOSTILE = "<script>document.title='taken'</script>"
TOKENS = {"anna": "edgetoll_anna", "acme-only": "edgetoll_of_acme", "beta-only": "edgetoll_of_beta"}
READERS = f"""
[billing.readers.anna]
token_sha256 = "{hash_of(TOKENS["anna"])}"
[billing.readers.acme-only]
token_sha256 = "{hash_of(TOKENS["acme-only"])}"
account = "acme"
[billing.readers.beta-only]
token_sha256 = "{hash_of(TOKENS["beta-only"])}"
account = "beta"
"""
INVOICES = """
[invoices]
formats = ["json", "csv", "html"]
[invoices.seller]
name = "Tests CDN"
address = ["1 Test Street"]
tax_id = "T-1"
"""
ACCOUNTS = f"""
[[accounts]]
id = "acme"
name = "{HOSTILE}"
currency = "USD"
price_book = "plain"
tax_rate_percent = "19"
country = "DE"
opened = 2026-10-01T00:00:00Z
tags = {{ segment = "<img src=x onerror=alert(1)>" }}

[[accounts]]
id = "beta"
name = "Beta & Söhne"
currency = "USD"
price_book = "plain"
timezone = "Asia/Tokyo"
opened = 2026-10-01T00:00:00Z

[[domains]]
domain = "www.acme.example"
account = "acme"
tags = {{ team = "</td></table><script>alert(2)</script>" }}

[[domains]]
domain = "*.beta.example"
account = "beta"

[[plans]]
id = "acme-eu"
account = "acme"
kind = "data_transfer"
region = "EU"
quantity = "2 GB"
starts = 2026-10-01T00:00:00Z
ends = 2027-10-01T00:00:00Z
"""


def fetch(method: str, url: str, **more: Any) -> httpx.Response:
    """One request by a client that knows nothing of others."""
    return httpx.request(method, url, timeout=PATIENCE_S, **more)


def usual(scale: int) -> list[Use]:
    """What is served in an hour."""
    return [
        Use(requests=scale * 30_007, bytes_sent=scale * GB + 7),
        Use(requests=303, class_="quic", bytes_sent=10**8, minute=20),
        Use(requests=scale * 7001, domain="a.beta.example", region="FR", bytes_sent=GB),
        Use(requests=23, domain="nobody.example", bytes_sent=12345),
    ]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months, a debt, an invoice with its documents, an hour that an edge is missing from."""
    world = World(tmp_path_factory.mktemp("console"), accounts=ACCOUNTS, book=BOOK)
    settings = world.home / "edgetoll.toml"
    settings.write_text(INVOICES + READERS)
    for hour in range(3):
        close_hour(world.home, OCTOBER + hour * HOUR, usual(hour + 1))
    end = datetime(2026, 11, 1, tzinfo=UTC)
    close_hour(world.home, end - HOUR, [], empty_since=OCTOBER + 3 * HOUR)
    world.pay("acme", "0.50", "wire-1", OCTOBER)
    world.pay("beta", "9.00", "wire-2", OCTOBER)
    rate(world.home, at=OCTOBER + 4 * HOUR)
    rate(world.home, at=end)
    words = ["--month", "2026-10", "--home", str(world.home), "--as-of", ISSUED.isoformat()]
    assert edgetoll.main(["billing", "invoice", *words]) == 0
    many = [Use(requests=1, domain=f"n{number}.nobody.example") for number in range(NAMES)]
    close_hour(world.home, NOVEMBER - HOUR, many)
    close_hour(world.home, NOVEMBER, usual(4))
    gap = SequenceGap(epoch=1, first_sequence=4, last_sequence=5)
    close_hour(world.home, NOVEMBER + HOUR, usual(4), gaps=(gap,))
    few = [Use(requests=3, bytes_sent=1)]
    close_hour(world.home, NOVEMBER + 2 * HOUR, few, state="incomplete", missing=(LOST_EDGE,))
    rate(world.home, at=NOVEMBER + 4 * HOUR)
    return world.home


class Served:
    """A console that answers on a port of this machine."""

    def __init__(self, home: Path) -> None:
        self.door = Door(home)
        hosts = frozenset({"127.0.0.1"})
        self.app = application(home, door=self.door, hosts=hosts, clock=lambda: TODAY)
        config = uvicorn.Config(self.app, port=0, log_level="warning", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._bound = config.bind_socket()
        self.base = f"http://127.0.0.1:{self._bound.getsockname()[1]}"
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._bound]}, daemon=True
        )

    def link(self) -> str:
        """A link that works once."""
        return f"{self.base}/enter?key={self.door.one_time_key()}"

    @contextmanager
    def browser_of(self, token: str | None = None) -> Iterator[httpx.Client]:
        """A client that came in by the link, or one that shows a token with each request."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        with httpx.Client(
            timeout=PATIENCE_S, base_url=self.base, headers=headers, follow_redirects=True
        ) as client:
            if token is None:
                assert client.get(self.link()).status_code == 200
            yield client

    def __enter__(self) -> Served:
        self._bound.listen()  # who comes before it answers waits
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._bound.close()


@pytest.fixture(scope="session")
def served(home: Path) -> Iterator[Served]:
    """The console of `home`."""
    with Served(home) as console:
        yield console


@pytest.fixture(scope="session")
def get(served: Served) -> Iterator[Callable[..., httpx.Response]]:
    """Asks for a page as whoever started the console."""
    with served.browser_of() as client:
        yield client.get


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, which Playwright drives; gone with the module, since its loop runs as long
    as it does, and nobody else could run one.
    """
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        yield found
        found.close()
