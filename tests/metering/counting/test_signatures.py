"""Two hosts under one edge id: the one without the edge's key is refused (FAULTS B19)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.batch.signature import create_key
from tests import forked

LINE = '{"time":"1790000000.000","host":"a.example","scheme":"https","protocol":"HTTP/2.0",'
LINE += '"status":"200","bytes_sent":"5","cache":"HIT","id":"%d"}\n'


def run(*words: str, code: int = 0) -> str:
    """One command of the program, as a person runs it."""
    command = forked.start(*words)
    assert forked.ended(command) == code, command.said()
    return command.said()[0]


def sends(home: Path, key: str, requests: int) -> None:
    """Import some requests as edge e1, signing with `key`."""
    (home / "edgetoll.toml").write_text(
        f'[edge]\nkey_file = "{key}"\n[metering]\nkeys_file = "keys.json"\n'
    )
    log = home / f"{requests}.log"
    log.write_text("".join(LINE % (requests * 100 + number) for number in range(requests)))
    words = ("--format", "nginx", "--edge", "e1", "--region", "DE", "--home", str(home))
    run("edge", "import", str(log), *words)


@pytest.mark.parametrize("second", ["other.key", ""])
def test_b19_a_second_host_under_one_edge_id_is_refused_by_its_signature(
    tmp_path: Path, second: str
) -> None:
    own = create_key(tmp_path / "edge.key")
    create_key(tmp_path / "other.key")
    entry = {"edge_id": "e1", "public_key": own.public_key.hex()}
    times = {"valid_from_ms": 0, "valid_to_ms": 1 << 50}
    (tmp_path / "keys.json").write_text(json.dumps([{**entry, **times}]))
    sends(tmp_path, "edge.key", 3)
    sends(tmp_path, second, 5)
    run("metering", "run", "--drain", "--home", str(tmp_path), code=1)
    status = json.loads(run("metering", "status", "--json", "--home", str(tmp_path)))
    assert (status["accepted"], status["quarantined"]) == (3, 5)
    quarantine = run("sql", "SELECT reason FROM quarantine", "--home", str(tmp_path))
    assert "signature" in quarantine
