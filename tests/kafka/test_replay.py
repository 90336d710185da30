"""`metering replay`: what was refused and is sound today is counted once (FAULTS C29)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.kafka.traffic import START_MS, Shape, fill
from deploy.kafka.broker import Broker, free_port
from edge.batch.signature import create_key
from edge.errors import InputError
from metering.worker.replay import ReplayUnfinished, replay
from tests.kafka.world import assert_equals, closed_usage, count, send, ship

pytestmark = [pytest.mark.needs_kafka, pytest.mark.xdist_group("kafka")]
MakeHome = Callable[..., Path]
NOW_MS = START_MS + 30 * 86_400_000


def refusing_home(broker: Broker, topic: str, make_home: MakeHome) -> Path:
    """A home whose worker wants signatures of a key that nobody has, and has refused all."""
    home = make_home(topic)
    key = create_key(home / "edge.key")
    entry = {"edge_id": "e1", "public_key": key.public_key.hex()}
    times = {"valid_from_ms": 0, "valid_to_ms": 1 << 50}
    (home / "keys.json").write_text(json.dumps([{**entry, **times}]))
    config = (home / "edgetoll.toml").read_text()
    (home / "edgetoll.toml").write_text('[metering]\nkeys_file = "keys.json"\n' + config)
    return home


def trust_all(home: Path) -> None:
    """The cause is mended: batches need no signature."""
    config = (home / "edgetoll.toml").read_text()
    (home / "edgetoll.toml").write_text(config.replace('keys_file = "keys.json"', ""))


def test_c29_a_quarantine_replayed_twice_is_counted_once(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = refusing_home(broker, topic, make_home)
    truth = fill(home, "e1", "DE", Shape(batches=6, events=50), 1)
    ship(home, broker.address)
    send(broker.address, topic, [(b"e1", b"ETB rubbish")])
    refused = count(home, broker.address)
    assert (refused["accepted"], refused["quarantined"]) == (0, 301)
    early = replay(home, bootstrap=broker.address, reason=None, now_ms=NOW_MS)
    assert early == {"sent": {}, "left": {"signature": 6, "syntax": 1}}

    trust_all(home)
    sent = replay(home, bootstrap=broker.address, reason=None, now_ms=NOW_MS)
    assert sent == {"sent": {"signature": 6}, "left": {"syntax": 1}}
    found = count(home, broker.address)
    assert (found["accepted"], found["duplicate"], found["quarantined"]) == (300, 0, 301)
    assert_equals(home, [truth])

    # As if the first had died before it moved the files: everything is sent a second time.
    for path in (home / "quarantine" / "replayed").iterdir():
        path.rename(home / "quarantine" / path.name)
    before = closed_usage(home)
    again = replay(home, bootstrap=broker.address, reason="signature", now_ms=NOW_MS)
    assert again == {"sent": {"signature": 6}, "left": {}}
    found = count(home, broker.address)
    assert (found["accepted"], found["duplicate"], found["quarantined"]) == (300, 300, 301)
    assert closed_usage(home) == before
    third = replay(home, bootstrap=broker.address, reason="signature", now_ms=NOW_MS)
    assert third == {"sent": {}, "left": {}}


def test_c29_a_replay_that_the_broker_does_not_take_leaves_the_files_where_they_are(
    broker: Broker, topic: str, make_home: MakeHome
) -> None:
    home = refusing_home(broker, topic, make_home)
    fill(home, "e1", "DE", Shape(batches=2, events=50), 1)
    ship(home, broker.address)
    count(home, broker.address)
    trust_all(home)
    before = sorted((home / "quarantine").iterdir())
    with pytest.raises(ReplayUnfinished, match="did not take the batches"):
        replay(home, bootstrap=f"127.0.0.1:{free_port()}", reason=None, now_ms=NOW_MS)
    assert sorted((home / "quarantine").iterdir()) == before


def test_what_was_read_in_place_is_not_sent_to_kafka(tmp_path: Path) -> None:
    (tmp_path / "edgetoll.toml").write_text("[metering]\n")
    folder = tmp_path / "quarantine"
    folder.mkdir()
    (folder / "syntax-00.batch").write_bytes(b"rubbish")
    (folder / "syntax-00.json").write_text('{"partition": "spool", "reason": "syntax"}')
    with pytest.raises(InputError, match="read in place"):
        replay(tmp_path, bootstrap=None, reason=None, now_ms=NOW_MS)
