"""The daemon as a service: one per home, told to leave, killed, overlapped, behind by days."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

import edgetoll
from billing.appliers import open_store
from billing.checks import red
from billing.ledger import transfers
from billing.money import SCALE
from tests import forked
from tests.billing.daemon.process import SETTINGS, ask, service
from tests.billing.homes import THOROUGH, Use, close_hour, close_hours, copied, make_home
from tests.billing.runner import end_state, posted, published, rate

HOUR = timedelta(hours=1)
USES = [Use(), Use(domain="a.beta.example", requests=5, region="US"), Use(domain=None, requests=7)]


# The hour in which this run of the tests began: the daemon goes by this machine's clock.
THIS_HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


ROOT = Path(__file__).parents[3]


def home_in(folder: Path, *, hours: int) -> Path:
    """A home whose last `hours` hours are closed and seen by no run."""
    home = published(make_home(folder))
    (home / "edgetoll.toml").write_text(SETTINGS)
    close_hours(home, THIS_HOUR - HOUR * (hours + 1), hours, USES)
    return home


def round_in(home: Path) -> int:
    """One round in this process, where none is killed or told to leave; its exit code."""
    ours = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return edgetoll.main(["billing", "daemon", "--once", "--home", str(home)])
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)


@pytest.fixture(scope="module")
def three_hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three closed hours, as each test copies it."""
    return home_in(tmp_path_factory.mktemp("three"), hours=3)


@pytest.fixture
def home(three_hours: Path, tmp_path: Path) -> Path:
    """A home with three closed hours."""
    return copied(three_hours, tmp_path / "home")


def told(home: Path) -> list[str]:
    """The ids of the events in the file, in order."""
    path = home / "outbox" / "events.jsonl"
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def test_it_rates_what_closes_while_it_runs_and_leaves_cleanly_when_told(home: Path) -> None:
    with service("billing", "daemon", "--home", str(home)) as daemon:
        port = daemon.wait_for("started")["metrics_port"]
        daemon.wait_for("rated", state="done")
        daemon.wait_for("told")
        close_hour(home, THIS_HOUR - HOUR, USES)
        daemon.wait_for("rated", state="done")
        status, text = ask(port, "/metrics")
        assert status == 200
        assert 'edgetoll_accounts{state="overdue"} 2' in text
        assert daemon.end() == 0
        assert daemon.events()[-1] == "stopped"
    with open_store(home, owner="test", now=THIS_HOUR) as store:
        rows = store.connection.execute("SELECT count(*) FROM imported_files").fetchall()
    assert rows == [(4,)]
    assert len(told(home)) == len(set(told(home))) == len(events(home))


def test_a_second_daemon_leaves_at_once_and_names_the_first(home: Path) -> None:
    with service("billing", "daemon", "--home", str(home)) as first:
        first.wait_for("started")
        with service("billing", "daemon", "--home", str(home)) as second:
            assert second.result() == 75
        assert f"billing daemon (process {first.process.pid}: " in "\n".join(second.text)
        with service("billing", "daemon", "--once", "--home", str(home)) as third:
            assert third.result() == 75
        assert first.process.poll() is None, "the first goes on"
        assert first.end() == 0
    with service("billing", "daemon", "--once", "--home", str(home)) as fourth:
        assert fourth.result() == 0, "an ended daemon holds nothing"


def test_p6_a_step_that_the_machine_stops_is_told_with_what_to_do_and_no_program_lines(
    tmp_path: Path,
) -> None:
    """No file may grow: what a full disk does, on any machine."""
    home = home_in(tmp_path, hours=1)
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "import edgetoll; sys.exit(edgetoll.main(sys.argv[1:]))"
    )
    words = ["billing", "daemon", "--once", "--home", str(home)]
    done = subprocess.run(
        # -B: compiled files would be cut off, too, and stay so.
        [sys.executable, "-B", "-c", code, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    lines = [json.loads(one) for one in done.stderr.splitlines() if one.startswith("{")]
    failed = [one for one in lines if one["event"] == "failed"]
    assert failed
    assert all(one["hint"] for one in failed), failed


@pytest.fixture(scope="module")
def wanted(three_hours: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one undisturbed round makes of three closed hours."""
    home = copied(three_hours, tmp_path_factory.mktemp("whole") / "home")
    assert round_in(home) == 0
    return comparable(home)


PLACES = [
    "rating_run-applied",
    "rate-judged",
    "delivery-sent",
    "import-committed",
    "journal-after-append:2",
    "lake-built",
    "deliveries-applied",
]


@pytest.mark.parametrize("place", PLACES if THOROUGH else PLACES[:3])
def test_a_round_killed_anywhere_is_made_up_for_by_the_next(
    home: Path, wanted: dict[str, Any], place: str
) -> None:
    words = ("billing", "daemon", "--once", "--home", str(home))
    assert forked.run(*words, crash=place) == -signal.SIGKILL
    assert round_in(home) == 0
    assert comparable(home) == wanted
    assert set(told(home)) == {identity for identity, _kind in events(home)}


def comparable(home: Path) -> dict[str, Any]:
    """What must not depend on how often a round began: money, and the states of the accounts."""
    state = end_state(home)
    with open_store(home, owner="test", now=THIS_HOUR) as store:
        states = store.connection.execute(
            "SELECT account_id, version, state FROM account_state_history ORDER BY ALL"
        ).fetchall()
    return {name: state[name] for name in ("charges", "balances", "months", "usage")} | {
        "states": states
    }


def events(home: Path) -> list[tuple[str, str]]:
    """Id and kind of every event in the outbox."""
    with open_store(home, owner="test", now=THIS_HOUR) as store:
        return store.connection.execute("SELECT event_id, kind FROM outbox ORDER BY 1").fetchall()


HOURS_LATE = 72 if THOROUGH else 36


def test_days_without_a_round_are_caught_up_in_one(tmp_path: Path) -> None:
    """Missed runs: the last hour of days finds all of them, and charges as a run a shift would."""
    late = home_in(tmp_path / "late", hours=HOURS_LATE)
    steady = make_home(tmp_path / "steady")
    begin = THIS_HOUR - HOUR * (HOURS_LATE + 1)
    for number in range(HOURS_LATE):
        close_hour(steady, begin + HOUR * number, USES)
        if number % 12 == 11:
            posted(steady, at=begin + HOUR * (number + 1))
    assert round_in(late) == 0
    mine, wanted = end_state(late), end_state(steady)
    assert mine["balances"] == wanted["balances"]
    assert mine["charges"] == wanted["charges"]


def test_rounds_and_commands_at_once_charge_once_and_tell_once(
    home: Path, wanted: dict[str, Any]
) -> None:
    """A cron line beside the daemon: whoever finds the store taken says so and leaves it alone."""
    with service("billing", "daemon", "--home", str(home)) as daemon:
        daemon.wait_for("started")
        beside = [["billing", "rate"], ["billing", "alerts"], ["billing", "rate"]]
        codes = []
        for words in beside:
            with service(*words, "--home", str(home)) as command:
                codes.append(command.result())
        assert set(codes) <= {0, 75}
        assert daemon.end() == 0
    assert round_in(home) == 0
    assert comparable(home) == wanted
    assert len(told(home)) == len(set(told(home))) == len(events(home))


def test_a_step_that_fails_is_named_and_does_not_end_the_daemon(home: Path) -> None:
    book = home / "prices" / "plain.toml"
    sound = book.read_text()
    book.write_text(sound.replace("per = 10000", 'per = "many"'))
    with service("billing", "daemon", "--home", str(home)) as daemon:
        port = daemon.wait_for("started")["metrics_port"]
        failed = daemon.wait_for("failed", step="rate")
        assert "plain.toml" in failed["reason"]
        assert failed["hint"]
        daemon.wait_for("told")
        book.write_text(sound)
        close_hour(home, THIS_HOUR - HOUR, USES)
        daemon.wait_for("rated", state="done")
        _status, text = ask(port, "/metrics")
        assert 'edgetoll_step_failures_total{step="rate"} ' in text
        assert daemon.end(signal.SIGINT) == 0


def test_g21_a_check_that_a_run_turns_red_is_said_at_once_and_holds_suspensions(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run stands in the store whose charges do not: the nightly check would find it too late."""
    rate(home, at=THIS_HOUR)
    assert round_in(home) == 0, "tonight's checks are done, and green"
    with open_store(home, owner="test", now=THIS_HOUR) as store:
        store.connection.execute(
            "INSERT INTO runs VALUES ('R9', 'test', $1, 'done', $1, 0, 5, 1, '{}', '', 1000)",
            [THIS_HOUR.replace(tzinfo=None)],
        )
    close_hour(home, THIS_HOUR - HOUR, USES)
    capsys.readouterr()
    assert round_in(home) == 1
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line[0] == "{"]
    failed = next(one for one in said if one["event"] == "failed")
    assert failed["step"] == "rate"
    assert "runs_complete is red" in failed["reason"]
    assert red.read(home).names == ("runs_complete",)
    # Opened as billing does it, the store would be refused: it was edited and its run failed.
    with duckdb.connect(home / "billing.duckdb", read_only=True) as looked:
        rows = looked.execute("SELECT unverified FROM balance_clock").fetchall()
    assert rows == [("check is red: runs_complete",)]


def test_a_persons_command_waits_for_the_daemons_present_step(home: Path) -> None:
    """A payment is never refused because somebody else has the store for a moment."""
    with open_store(home, owner="billing daemon", now=THIS_HOUR) as held:
        words = ("billing", "top-up", "acme", "5.00", "--id", "bank-1", "--home", str(home))
        with service(*words) as command:
            with pytest.raises(subprocess.TimeoutExpired):
                command.process.wait(3)
            held.close()
            assert command.result() == 0
    with open_store(home, owner="test", now=THIS_HOUR) as store:
        assert transfers.balance(store.connection, "acme").cash == 5 * SCALE


def test_g5_a_host_that_slept_rates_what_closed_meanwhile_when_it_wakes(home: Path) -> None:
    with service("billing", "daemon", "--home", str(home)) as daemon:
        daemon.wait_for("rated", state="done")
        daemon.process.send_signal(signal.SIGSTOP)
        close_hour(home, THIS_HOUR - HOUR, USES)
        daemon.process.send_signal(signal.SIGCONT)
        rated = daemon.wait_for("rated", state="done")
        assert rated["through"] == THIS_HOUR.isoformat()
        assert daemon.end() == 0
