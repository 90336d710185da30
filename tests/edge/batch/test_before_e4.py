"""E4: edges of today beside workers of before statuses went to 999, and the other way round.

`golden/decoder-before-e4.zip` is the codec of that time, as it stood in git; it runs here by itself
in a Python of its own. It refuses a whole batch that holds such a status, and keeps it: that is why
workers are upgraded before edges.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.batch import codec
from edge.batch.packing import pack
from edge.batch.records import totals
from tests.edge.batch.test_golden import GOLDEN, identity, sample, sample_to_999
from tests.edge.samples import rows

OLD = GOLDEN / "decoder-before-e4.zip"
ONLY_OTHER = replace(sample(), status=np.full(600, 600, dtype=np.uint16))
ONE_OTHER = replace(sample(), status=np.array([200] * 599 + [999], dtype=np.uint16))
SENT = {
    "events": codec.encode_events(sample(), **identity(0)),
    "counters": codec.encode_counters(totals(pack(sample())), **identity(1)),
    "heartbeat": codec.encode_heartbeat(**identity(2)),
    "events to 999": codec.encode_events(sample_to_999(), **identity(3)),
    "events of 600": codec.encode_events(ONLY_OTHER, **identity(4)),
    "one event of 999": codec.encode_events(ONE_OTHER, **identity(5)),
    "counters to 999": codec.encode_counters(totals(pack(sample_to_999())), **identity(6)),
    "counters of one": codec.encode_counters(totals(pack(ONE_OTHER)), **identity(7)),
}
"""What an edge of today sends."""

WORKER = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from edge.batch import codec
assert codec.__file__.startswith(sys.argv[1]), codec.__file__
said = {}
for path in sorted(Path(sys.argv[2]).glob("*.batch")):
    data = path.read_bytes()
    try:
        header = codec.decode_header(data)
        if header.kind == "events":
            found = codec.decode_events(header, data)
            said[path.stem] = [len(found), sorted(set(found.status.tolist()))[-1]]
            again = codec.encode_events(
                found, edge_id=header.edge_id, region=header.region, epoch=header.epoch,
                sequence=header.sequence, watermark_ms=header.watermark_ms,
            )
            path.with_suffix(".old").write_bytes(again)
        elif header.kind == "counters":
            found = codec.decode_counters(header, data)
            said[path.stem] = found.status_requests.sum(axis=0).tolist()
        else:
            said[path.stem] = header.kind
    except codec.DecodeError as error:
        said[path.stem] = str(error)
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the batches of today lie, and beside them what the old codec made of them."""
    folder = tmp_path_factory.mktemp("sent")
    for name, data in SENT.items():
        (folder / f"{name}.batch").write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-I", "-c", WORKER, str(OLD), str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    (folder / "said.json").write_text(ran.stdout)
    return folder


def test_e4_a_worker_of_before_counts_what_an_edge_of_today_sends_without_such_a_status(
    place: Path,
) -> None:
    said = json.loads((place / "said.json").read_text())
    assert said["events"] == [600, 599]
    assert said["counters"] == [100] * 6
    assert said["heartbeat"] == "heartbeat"


@pytest.mark.parametrize("name", [name for name in SENT if "of" in name or "999" in name])
def test_e4_a_worker_of_before_refuses_and_keeps_a_whole_batch_with_such_a_status(
    place: Path, name: str
) -> None:
    reason = "schema" if "counters" in name else "status"
    said = json.loads((place / "said.json").read_text())
    assert f"it is kept in quarantine as {reason}" in said[name]
    header = codec.decode_header(SENT[name])  # kept as it was, it is counted after the upgrade
    if header.kind == "events":
        assert len(codec.decode_events(header, SENT[name])) == 600
    else:
        assert int(codec.decode_counters(header, SENT[name]).requests.sum()) == 600


def test_e4_a_worker_of_today_counts_what_an_edge_of_before_sends(place: Path) -> None:
    data = (place / "events.old").read_bytes()
    assert rows(codec.decode_events(codec.decode_header(data), data)) == rows(sample())
    assert {path.stem for path in place.glob("*.old")} == {"events"}
