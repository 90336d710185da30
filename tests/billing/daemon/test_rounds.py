"""When a round is due, and what /metrics, /healthz and /readyz say of it."""

from __future__ import annotations

import json
import re
import socket
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.appliers import open_store
from billing.daemon.daemon import Rounds, locked
from billing.daemon.metrics import (
    Board,
    metering_metrics,
    problems,
)
from billing.daemon.serving import serving
from billing.ledger.top_up import top_up
from billing.store.store import Store
from edge.errors import Busy, ConfigError
from edge.https.status import HttpsStatus, write_status
from edge.terminal import say, warn
from metering.status import EdgeStatus, MeteringStatus
from tests.billing.daemon.process import SETTINGS, ask
from tests.billing.homes import Use, close_hour, copied, make_home
from tests.billing.runner import published
from tests.effort import PATIENCE_S

START = datetime(2026, 10, 20, 6, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that the test moves."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """It begins at START."""
    return Clock()


@pytest.fixture(scope="module")
def one_hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one closed hour, as tests copy it."""
    made = make_home(tmp_path_factory.mktemp("one-hour"))
    (made / "edgetoll.toml").write_text(SETTINGS)
    close_hour(made, START - timedelta(hours=2), [Use()])
    return published(made)


@pytest.fixture
def home(one_hour: Path, tmp_path: Path) -> Path:
    """A home with one closed hour."""
    return copied(one_hour, tmp_path / "home")


@pytest.fixture(scope="module")
def all_done(one_hour: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That home after rounds at START: nothing is due."""
    made = copied(one_hour, tmp_path_factory.mktemp("all-done") / "home")
    settled(made, Clock())
    return made


@pytest.fixture
def idle(all_done: Path, tmp_path: Path) -> Path:
    """A home whose hour is charged and told."""
    return copied(all_done, tmp_path / "home")


def edge(name: str, promise: str) -> EdgeStatus:
    """An edge as a worker publishes it."""
    return EdgeStatus(
        edge_id=name, partition="spool", region="DE", epoch=1, sequence=1, batches=1, requests=7,
        watermark=promise, lag_seconds=0, expected_until=None, gaps=(),
    )  # fmt: skip


def settled(home: Path, clock: Clock) -> Rounds:
    """Rounds run until nothing is due."""
    rounds = Rounds(home, Board(), clock=clock)
    for _ in range(4):
        if not rounds.is_due():
            return rounds
        rounds.run()
    raise AssertionError("rounds go on for ever though nothing changes")


def test_an_idle_home_costs_no_round_until_its_next_judgement(idle: Path, clock: Clock) -> None:
    rounds = settled(idle, clock)
    clock.now += timedelta(minutes=9, seconds=59)
    assert not rounds.is_due()
    clock.now += timedelta(seconds=1)
    assert rounds.is_due()


def test_a_closed_hour_or_a_payment_makes_a_round_due_at_once(idle: Path, clock: Clock) -> None:
    rounds = settled(idle, clock)
    close_hour(idle, START - timedelta(hours=1), [Use()])
    assert rounds.is_due()
    rounds = settled(idle, clock)
    with open_store(idle, owner="test", now=clock.now) as store:
        top_up(store, "acme", 10**12, key="bank-1", at=clock.now)
    assert rounds.is_due()


def test_a_clock_set_back_does_not_leave_rounds_waiting_for_the_future(
    home: Path, clock: Clock
) -> None:
    clock.now += timedelta(days=30)
    rounds = settled(home, clock)
    clock.now -= timedelta(days=30)
    assert rounds.is_due()


def test_a_step_that_failed_is_tried_again_after_a_minute(home: Path, clock: Clock) -> None:
    (home / "prices" / "plain.toml").write_text("")
    rounds = settled(home, clock)
    assert "rate" in rounds.board.failing
    clock.now += timedelta(seconds=61)
    assert rounds.is_due()


def test_a_daemon_told_to_leave_begins_no_further_step(home: Path, clock: Clock) -> None:
    board = Board(stop=threading.Event())
    board.stop.set()
    Rounds(home, board, clock=clock).run()
    assert board.seconds == {}
    assert not (home / "outbox").exists()


def test_readyz_names_what_is_wrong_and_healthz_only_asks_for_a_restart(
    home: Path, clock: Clock
) -> None:
    board = Board(begun_at=clock.now)
    with serving(home, board, listen="127.0.0.1:0", clock=clock) as port:
        status, text = ask(port, "/readyz")
        assert (status, json.loads(text)["problems"]) == (503, ["no round has ended yet"])
        assert ask(port, "/healthz") == (200, '{"healthy":true,"problems":[]}\n')
        rounds = Rounds(home, board, clock=clock)
        rounds.run()
        assert ask(port, "/readyz") == (200, '{"ready":true,"problems":[]}\n')
        clock.now += timedelta(minutes=31)
        for page in ("/readyz", "/healthz"):
            status, text = ask(port, page)
            assert (status, json.loads(text)["problems"]) == (
                503,
                ["no round has ended since 2026-10-20T06:00Z"],
            )
        (home / "checks.json").write_text(
            '{"red": ["ledger_balances: 1 row"], "checks": 40, "at": "2026-10-20T06:10Z"}'
        )
        rounds.run()
        status, text = ask(port, "/readyz")
        assert status == 503
        assert json.loads(text)["problems"] == ["unverified: check is red: ledger_balances"]
        assert ask(port, "/healthz")[0] == 200, "starting again mends no red check"
        assert ask(port, "/elsewhere")[0] == 404


def test_every_metric_that_the_page_for_operators_names_is_served(
    home: Path, clock: Clock, root: Path
) -> None:
    board = Board()
    live = home / "live"
    live.mkdir()
    (live / "status.json").write_text(
        json.dumps(
            {
                "accepted": 7, "duplicate": 1, "quarantined": 2, "adds_up": True,
                "read": 10, "fresh_at": "2026-10-20T05:59:00Z", "alarms": [], "quarantine": [],
                "partitions": [], "edges": [asdict(edge("e1", "2026-10-20T05:58:00Z"))],
                "hours": [
                    {"hour": "2026-10-20T05", "partition": "spool", "state": "open", "accepted": 7,
                     "late": 0, "missing_edges": []},
                ],
            }
        )
    )  # fmt: skip
    write_status(home, HttpsStatus(applied_at=clock()))  # an edge that serves HTTPS too
    with serving(home, board, listen="127.0.0.1:0", clock=clock) as port:
        rounds = Rounds(home, board, clock=clock)
        rounds.run()
        board.failures["rate"] = 1
        assert board.signs is not None
        _status, text = ask(port, "/metrics")
    named = set(re.findall(r"`(edgetoll_[a-z_]+)`", (root / "docs" / "operating.md").read_text()))
    named |= set(
        re.findall(r"`(edgetoll_[a-z_]+)[ <>]", (root / "docs" / "operating.md").read_text())
    )
    served = set(re.findall(r"^# TYPE (edgetoll_[a-z_]+)", text, flags=re.MULTILINE))
    assert len(named) > 8
    assert named <= served
    assert 'edgetoll_event_time_lag_seconds{edge="e1"} 120' in text
    assert "edgetoll_oldest_open_hour_age_seconds 3600" in text
    assert "edgetoll_conservation_holds 1" in text
    assert 'edgetoll_accounts{state="overdue"} 1' in text


def test_more_edges_than_labels_may_have_are_one_sample(clock: Clock) -> None:
    edges = tuple(edge(f"e{n}", "2026-10-20T05:00:00Z") for n in range(501))
    families = metering_metrics([MeteringStatus(edges=edges)], now=clock.now)
    lags = [one for one in families if one.name == "edgetoll_event_time_lag_seconds"]
    assert [(s.labels, s.value) for one in lags for s in one.samples] == [({"edge": "all"}, 3600)]


def test_broken_conservation_is_a_problem(clock: Clock) -> None:
    board = Board(round_at=clock.now)
    found = problems(board, [MeteringStatus(adds_up=False)], now=clock.now)
    assert found == ["conservation is broken: read is not accepted + duplicate + quarantined"]


def test_a_round_with_nothing_to_tell_opens_the_store_once(
    idle: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing.daemon import rounds as steps

    opened: list[str] = []

    def counted(place: Path, **more: Any) -> Store:
        opened.append(more["owner"])
        return open_store(place, **more)

    rounds = settled(idle, clock)
    monkeypatch.setattr(steps, "open_store", counted)
    clock.now += timedelta(minutes=10)
    rounds.run()
    assert opened == ["billing daemon"]


def test_accounts_are_judged_though_rating_fails(idle: Path, clock: Clock) -> None:
    (idle / "prices" / "plain.toml").write_text("")
    with open_store(idle, owner="test", now=clock.now) as store:
        top_up(store, "acme", 10**12, key="bank-1", at=clock.now)
    listed = idle / "suspended" / "domains.json"
    before = json.loads(listed.read_bytes())["ledger_version"]
    rounds = settled(idle, clock)
    assert "rate" in rounds.board.failing
    assert "judge" not in rounds.board.failing
    assert json.loads(listed.read_bytes())["ledger_version"] > before


def test_g14_a_port_in_use_is_named_with_its_setting(home: Path, clock: Clock) -> None:
    with serving(home, Board(), listen="127.0.0.1:0", clock=clock) as port:
        taken = f"127.0.0.1:{port}"
        said = rf"\[billing.daemon\] listen: {taken} cannot be"
        with (
            pytest.raises(ConfigError, match=said),
            serving(home, Board(), listen=taken, clock=clock),
        ):
            raise AssertionError("two servers on one port")


def test_g14_clients_that_say_nothing_keep_nobody_from_the_metrics(
    home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing.daemon import serving as server

    monkeypatch.setattr(server._Handler, "timeout", 1)
    with serving(home, Board(), listen="127.0.0.1:0", clock=clock) as port:
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(server.AT_ONCE)]
        beside = socket.create_connection(("127.0.0.1", port))
        assert beside.recv(1) == b"", "one more is hung up on at once"
        for one in silent:
            one.settimeout(PATIENCE_S)
            assert one.recv(1) == b"", "after a second of silence"
        assert ask(port, "/healthz")[0] == 200
        for one in (*silent, beside):
            one.close()


def test_p6_a_fresh_home_is_ready_as_soon_as_a_round_has_ended(
    tmp_path: Path, clock: Clock
) -> None:
    fresh = make_home(tmp_path, accounts=None)
    board = Board(begun_at=clock.now)
    with serving(fresh, board, listen="127.0.0.1:0", clock=clock) as port:
        Rounds(fresh, board, clock=clock).run()
        assert ask(port, "/readyz") == (200, '{"ready":true,"problems":[]}\n')


def test_p6_a_second_daemon_is_told_what_is_true(home: Path) -> None:
    with locked(home), pytest.raises(Busy) as caught, locked(home):
        raise AssertionError("two daemons on one home")
    assert "daemon.lock is held by" in caught.value.message
    assert "to start another, end that one" in caught.value.hint


def test_p6_what_would_be_said_to_a_person_is_a_line_of_json_in_the_log(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with locked(home):
        warn("cut a torn record\nof two lines")
        say("hello")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["event"], one["text"]) for one in lines] == [
        ("warning", "cut a torn record\nof two lines"),
        ("said", "hello"),
    ]
    warn("outside")
    assert capsys.readouterr().err == "outside\n"
