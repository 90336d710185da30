"""Pages follow live/: from a line in a log to an open page, through all of the real thing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.billing.console.conftest import READERS, TOKENS, Served, fetch
from tests.billing.daemon.process import SETTINGS, Service, service
from tests.billing.daemon.test_host import write_lines
from tests.billing.homes import make_home
from tests.billing.runner import published
from tests.effort import PATIENCE_S

CONSOLE = '\n[billing.console]\nlisten = "127.0.0.1:0"\n'


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that a web server writes."""
    return tmp_path_factory.mktemp("live") / "access.log"


@pytest.fixture(scope="module")
def running(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    """`edgetoll run --console` that follows the log, and the link it printed."""
    home = published(make_home(tmp_path_factory.mktemp("home")))
    edge = (
        f'[edge]\nedge_id = "e1"\nregion = "DE"\nstart_from = "beginning"\n'
        f'log_buffer_seconds = 0\nheartbeat_seconds = 1\n[[edge.logs]]\npath = "{log}"\n'
    )
    (home / "edgetoll.toml").write_text(edge + SETTINGS + CONSOLE + READERS)
    write_lines(log, 5)
    with service("run", "--console", "--home", str(home)) as one:
        said = ""
        while not (found := re.search(r"http://[^ ]+/enter[?]key=[0-9a-f]+", said)):
            assert one._take()
            said = one.text[-1]
        yield one, found[0]


def events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """The blocks that a stream brings."""
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@pytest.mark.needs_chromium
def test_a_line_in_a_log_is_seen_on_an_open_page(
    running: tuple[Service, str], log: Path, browser: Browser
) -> None:
    _, link = running
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(link)
    expect(page.locator("#following")).to_have_text("live", timeout=PATIENCE_S * 1000)
    bucket = datetime.now(UTC)
    with log.open("a") as file:
        file.write("".join(_line(bucket, number) for number in range(900)))
    whole = page.locator("#requests-lately .axis text").filter(has_text=re.compile("^[1-9]$"))
    expect(whole.first).to_be_attached(timeout=PATIENCE_S * 1000)
    page.context.close()


def _line(at: datetime, number: int) -> str:
    return (
        json.dumps(
            {"time": f"{at.timestamp():.3f}", "host": "www.acme.example", "scheme": "https",
             "protocol": "HTTP/2.0", "status": "200", "bytes_sent": "1000", "cache": "HIT",
             "id": f"live-{number}"}
        )
        + "\n"
    )  # fmt: skip


def test_two_who_look_at_the_same_have_the_same(served: Served) -> None:
    with served.browser_of() as client, client.stream("GET", "/live/") as stream:
        lines = stream.iter_lines()
        first = next(events(lines))
        assert set(first) == {"what-needs-a-look", "requests-lately"}
        with served.browser_of() as other, other.stream("GET", "/live/") as second:
            assert next(events(second.iter_lines())) == first


def test_a_bound_token_follows_its_own_rows(served: Served) -> None:
    token = {"authorization": f"Bearer {TOKENS['beta-only']}"}
    with (
        httpx.Client(timeout=PATIENCE_S, base_url=served.base, headers=token) as client,
        client.stream("GET", "/live/accounts/beta") as stream,
    ):
        blocks = next(events(stream.iter_lines()))
        assert "Beta &amp; Söhne" in blocks["account-at-a-glance"]
    with httpx.Client(timeout=PATIENCE_S, base_url=served.base, headers=token) as client:
        assert client.get("/live/accounts/acme").status_code == 404
        assert client.get("/live/accounts").status_code == 404
    assert fetch("GET", f"{served.base}/live/").status_code == 303
