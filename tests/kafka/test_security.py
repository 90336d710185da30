"""TLS, mTLS and SASL/SCRAM as configuration, against a broker that demands them (FAULTS B18)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from bench.kafka.traffic import Shape, fill
from billing.outbox.settings import check_secrets, read_delivery
from billing.outbox.stop_list import StoppedDomain, write_files
from billing.outbox.stop_topic import NotSent, publish_changes
from deploy.kafka.broker import Broker, Security, free_port
from edge.errors import ConfigError, InputError
from metering.sources.kafka.source import Unreachable
from tests.kafka.authority import Authority
from tests.kafka.world import count, records, ship, shipping, wait_until

pytestmark = [pytest.mark.needs_kafka, pytest.mark.xdist_group("kafka")]
SMALL = Shape(batches=3, events=50)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
STOPPED = "edgetoll.suspended.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A broker that demands proof, and whoever signs for it."""

    broker: Broker
    authority: Authority
    folder: Path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A broker with a listener for mTLS and one for SASL/SCRAM over TLS."""
    folder = tmp_path_factory.mktemp("guarded")
    authority = Authority(folder)
    security = Security(
        keystore=authority.issue("broker").both,
        truststore=authority.certificate,
        users={"edge": "correct horse"},
    )
    broker = Broker(folder / "broker", security=security)
    broker.start()
    broker.create_topic("edgetoll.requests.v1", 2)
    broker.create_topic(STOPPED, 1, config={"cleanup.policy": "compact"})
    yield Guarded(broker=broker, authority=authority, folder=folder)
    broker.stop()


def home_with(tmp_path: Path, lines: str) -> Path:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    both = f"request_timeout_seconds = 5\n{lines}\n"
    (home / "edgetoll.toml").write_text(f"[edge.kafka]\n{both}[metering.kafka]\n{both}")
    return home


def mutual(guarded: Guarded, name: str, *, days: int = 30) -> str:
    proof = guarded.authority.issue(name, days=days)
    return (
        f'security = "SSL"\nca_file = "{guarded.authority.certificate}"\n'
        f'certificate_file = "{proof.certificate}"\nkey_file = "{proof.key}"'
    )


def scram(guarded: Guarded, password: str) -> str:
    secret = guarded.folder / "password"
    secret.write_text(password + "\n")
    return (
        f'security = "SASL_SSL"\nca_file = "{guarded.authority.certificate}"\n'
        f'username = "edge"\npassword_file = "{secret}"'
    )


def test_mtls_ships_and_counts(guarded: Guarded, tmp_path: Path) -> None:
    home = home_with(tmp_path, mutual(guarded, "client"))
    truth = fill(home, "e1", "DE", SMALL, 1)
    address = guarded.broker.listener("MTLS")
    ship(home, address)
    assert count(home, address)["accepted"] >= truth.total[0]


def test_scram_over_tls_ships_and_counts(guarded: Guarded, tmp_path: Path) -> None:
    home = home_with(tmp_path, scram(guarded, "correct horse"))
    truth = fill(home, "e2", "DE", SMALL, 2)
    address = guarded.broker.listener("SCRAM")
    ship(home, address)
    assert count(home, address)["accepted"] >= truth.total[0]


def test_b18_a_refused_password_grows_the_spool_alarms_and_is_mended_in_place(
    guarded: Guarded, tmp_path: Path
) -> None:
    home = home_with(tmp_path, scram(guarded, "wrong"))
    fill(home, "e3", "DE", SMALL, 3)
    address = guarded.broker.listener("SCRAM")
    with shipping(home, address) as shipper:
        wait_until(lambda: shipper.producers >= 3)
        (said,) = [line for line in shipper.said if "stopped" in line]
        assert "SaslAuthenticationFailed" in said
        assert not (home / "spool" / "e3" / "acknowledged.json").exists()
        scram(guarded, "correct horse")
        wait_until(lambda: shipper.confirmed >= 3)


def test_b18_a_client_whose_certificate_has_expired_waits_and_alarms(
    guarded: Guarded, tmp_path: Path
) -> None:
    home = home_with(tmp_path, mutual(guarded, "late", days=-1))
    fill(home, "e4", "DE", SMALL, 4)
    with pytest.raises(InputError, match="took nothing"):
        ship(home, guarded.broker.listener("MTLS"), patience_s=2.0, backoff_s=(0.1, 0.5))


def test_a_broker_signed_by_another_authority_is_not_believed(
    guarded: Guarded, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    lines = mutual(guarded, "client2").replace(
        str(guarded.authority.certificate), str(other.certificate)
    )
    home = home_with(tmp_path, lines)
    fill(home, "e5", "DE", SMALL, 5)
    with pytest.raises(InputError, match="took nothing"):
        ship(home, guarded.broker.listener("MTLS"), patience_s=1.0, backoff_s=(0.1, 0.5))


def test_a_worker_without_proof_is_refused_with_a_clear_line(
    guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.worker.kafka_process.DRAIN_PATIENCE_S", 1.0)
    home = home_with(tmp_path, f'security = "SSL"\nca_file = "{guarded.authority.certificate}"')
    with pytest.raises(Unreachable, match="does not answer"):
        count(home, guarded.broker.listener("MTLS"))


def test_files_that_cannot_be_read_are_named(guarded: Guarded, tmp_path: Path) -> None:
    home = home_with(tmp_path, 'security = "SSL"\nca_file = "nowhere.pem"')
    fill(home, "e6", "DE", SMALL, 6)
    with pytest.raises(ConfigError, match=r"nowhere\.pem"):
        ship(home, guarded.broker.listener("MTLS"))


def stopping_home(tmp_path: Path, address: str, lines: str) -> Path:
    home = tmp_path / "billing"
    home.mkdir(exist_ok=True)
    (home / "edgetoll.toml").write_text(
        f'[billing.delivery.stop_list]\nkafka = "{address}"\n'
        f"request_timeout_seconds = 10\n{lines}\n"
    )
    return home


def stop(home: Path, *names: str) -> int:
    """Publish a list of stopped names as the daemon does."""
    found = tuple(
        StoppedDomain(
            domain=name, account_id="a", cause="suspended", since=NOW, until=None, version=3
        )
        for name in names
    )
    settings = read_delivery(home).stop_list
    write_files(home / settings.folder, found, ledger_version=1, now=NOW)
    return publish_changes(home, settings)


def stopped(guarded: Guarded) -> dict[str, str | None]:
    """What a reader of the compacted topic holds: why each name is stopped."""
    held: dict[str, str | None] = {}
    for record in records(guarded.broker.address, STOPPED):
        value = None if record.value is None else orjson.loads(record.value)["cause"]
        held[record.key.decode()] = value
    return held


@pytest.mark.parametrize("way", ["certificate", "password"])
def test_the_stop_list_reaches_a_broker_that_demands_proof(
    way: str, guarded: Guarded, tmp_path: Path
) -> None:
    lines = mutual(guarded, "billing") if way == "certificate" else scram(guarded, "correct horse")
    listener = {"certificate": "MTLS", "password": "SCRAM"}[way]
    home = stopping_home(tmp_path, guarded.broker.listener(listener), lines)
    one, other = f"{way}-1.example.com", f"{way}-2.example.com"
    check_secrets(home)
    stop(home)  # what another home left in the topic is taken off first
    assert stop(home, one, other) == 2
    assert stop(home, one, other) == 0, "nothing has changed"
    assert stop(home, other) == 1
    held = stopped(guarded)
    assert (held[one], held[other]) == (None, "suspended")


def test_a_stop_list_the_broker_refuses_is_told_in_a_line_and_sent_once_it_lets_us_in(
    guarded: Guarded, tmp_path: Path
) -> None:
    lines = scram(guarded, "correct horse").replace(str(guarded.folder / "password"), "secret")
    home = stopping_home(tmp_path, guarded.broker.listener("SCRAM"), lines)
    with pytest.raises(ConfigError, match="secret cannot be read"):
        check_secrets(home)
    (home / "secret").write_text("wrong\n")
    with pytest.raises(NotSent, match=r"did not take the stop list: .*SaslAuthenticationFailed"):
        stop(home, "late.example.com")
    assert not (home / "suspended" / "kafka.json").exists()
    (home / "secret").write_text("correct horse\n")
    stop(home)
    assert stop(home, "late.example.com") == 1
    assert stopped(guarded)["late.example.com"] == "suspended"


def test_a_stop_list_whose_broker_is_away_is_told_in_a_line(tmp_path: Path) -> None:
    home = stopping_home(tmp_path, f"127.0.0.1:{free_port()}", "")
    with pytest.raises(NotSent, match="did not take the stop list"):
        stop(home, "a.example.com")
