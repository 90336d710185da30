"""`edgetoll run`: edge tail, metering and billing in one process, from a log line to a charge."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from billing.appliers import open_store
from billing.daemon.host import host
from edge.errors import ConfigError, EdgetollError
from tests.billing.daemon.process import SETTINGS, ask_until, service
from tests.billing.homes import make_home
from tests.billing.runner import published
from tests.effort import PATIENCE_S

AGO = datetime.now(UTC) - timedelta(hours=2)


def write_lines(log: Path, count: int) -> None:
    """What nginx wrote two hours ago, and one line of now by which the hours before are over."""
    times = [AGO] * count + [datetime.now(UTC)]
    with log.open("a") as file:
        for number, at in enumerate(times):
            line = {
                "time": f"{at.timestamp():.3f}", "host": "www.acme.example", "scheme": "https",
                "protocol": "HTTP/2.0", "status": "200", "bytes_sent": "1000", "cache": "HIT",
                "id": f"{at.timestamp()}-{number}",
            }  # fmt: skip
            file.write(json.dumps(line) + "\n")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that follows one log."""
    made = published(make_home(tmp_path))
    log = tmp_path / "access.log"
    edge = (
        f'[edge]\nedge_id = "e1"\nregion = "DE"\nstart_from = "beginning"\n'
        f'log_buffer_seconds = 0\nheartbeat_seconds = 1\n[[edge.logs]]\npath = "{log}"\n'
    )
    (made / "edgetoll.toml").write_text(edge + SETTINGS)
    write_lines(log, 5)
    return made


def test_a_log_line_becomes_a_charge_in_one_process_that_leaves_cleanly(home: Path) -> None:
    with service("run", "--home", str(home)) as one:
        port = one.wait_for("started")["metrics_port"]
        one.wait_for("rated", state="done")
        checked = [entry for entry in one.said if entry["event"] == "checked"]
        assert [entry["red"] for entry in checked] == [[]], "also beside a worker of this process"
        assert ask_until(port, "/readyz", 200) == '{"ready":true,"problems":[]}\n'
        assert "failed" not in one.events()
        with service("run", "--home", str(home)) as second:
            assert second.result() == 75, "one per home"
        assert one.process.poll() is None
        assert one.end() == 0
    with open_store(home, owner="test", now=datetime.now(UTC)) as store:
        rows = store.connection.execute(
            "SELECT account_id, sum(quantity) FROM charges WHERE item = 'https_requests' GROUP BY 1"
        ).fetchall()
    assert rows == [("acme", 5)]
    with open(home / "edgetoll.toml", "a") as settings:
        settings.write('\n[billing.console]\nlisten = "127.0.0.1:0"\n')
    with service("run", "--console", "--home", str(home)) as again:
        again.wait_for("started")
        while not (
            links := re.findall(r"http://[^ ]+/enter[?]key=[0-9a-f]+", "\n".join(again.text))
        ):
            assert again._take()
        page = httpx.get(links[0], follow_redirects=True, timeout=PATIENCE_S)
        assert "<h1>Today</h1>" in page.text
        assert again.end() == 0, "what one left, the next takes up"


def test_a_part_that_fails_ends_the_others_and_is_named(home: Path) -> None:
    (home / "edgetoll.toml").write_text(SETTINGS + "\n[billing.delivery]\nmail = 7\n")
    with service("run", "--home", str(home)) as one:
        assert one.result() == 1
    assert "edgetoll.toml" in "\n".join(one.text)


def test_the_first_failure_is_raised_and_the_other_parts_are_told_to_stop() -> None:
    import threading

    stop = threading.Event()
    ended: list[str] = []

    def patient(asked: threading.Event) -> None:
        asked.wait(PATIENCE_S)
        ended.append("patient")

    def wrong(_asked: threading.Event) -> None:
        raise ConfigError("no such key", "correct it")

    with pytest.raises(ConfigError, match="no such key"):
        host({"a": patient, "b": wrong}, stop)
    assert ended == ["patient"]

    def broken(_asked: threading.Event) -> None:
        raise ZeroDivisionError("by zero")

    with pytest.raises(EdgetollError, match=r"b failed: ZeroDivisionError\('by zero'\)"):
        host({"a": patient, "b": broken}, threading.Event())
