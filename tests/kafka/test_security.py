"""TLS, mTLS and SASL/SCRAM as configuration, against a broker that demands them (FAULTS B18)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.kafka.traffic import Shape, fill
from deploy.kafka.broker import Broker, Security
from edge.errors import ConfigError, InputError
from metering.kafka_source import Unreachable
from tests.kafka.authority import Authority
from tests.kafka.world import count, ship, shipping, wait_until

pytestmark = [pytest.mark.needs_kafka, pytest.mark.xdist_group("kafka")]
SMALL = Shape(batches=3, events=50)


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
        assert len([line for line in shipper.said if "stopped" in line]) == 1, "said once"
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
    monkeypatch.setattr("metering.kafka_worker.DRAIN_PATIENCE_S", 1.0)
    home = home_with(tmp_path, f'security = "SSL"\nca_file = "{guarded.authority.certificate}"')
    with pytest.raises(Unreachable, match="does not answer"):
        count(home, guarded.broker.listener("MTLS"))


def test_files_that_cannot_be_read_are_named(guarded: Guarded, tmp_path: Path) -> None:
    home = home_with(tmp_path, 'security = "SSL"\nca_file = "nowhere.pem"')
    fill(home, "e6", "DE", SMALL, 6)
    with pytest.raises(ConfigError, match=r"nowhere\.pem"):
        ship(home, guarded.broker.listener("MTLS"))
