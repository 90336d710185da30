"""Random changes of domains' HTTPS with kill -9 of the agent: `python -m bench.https_chaos 300 1`.

Needs nginx and curl. Prints what was done and how long each settling took; exit 1 when the edge did
not end in what was wished or a request of an untouched domain failed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.edge.https.chaos import Chaos
from tests.edge.https.world import new_authorities, new_edge, running_origin


def main(changes: int, seed: int) -> int:
    """Run it and print the table."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, running_origin() as origin:
        edge = new_edge(Path(folder), new_authorities(), origin)
        chaos = Chaos(edge, seed)
        try:
            client = chaos.run(changes)
        finally:
            edge.stop()
        waited = sorted(
            line["seconds_to_live"]
            for line in edge.status()["domains"].values()
            if line["seconds_to_live"] is not None
        )
    print(f"seed {seed}: {chaos.changes} changes, {chaos.kills} kills of the agent,"
          f" {time.monotonic() - began:.0f} s")  # fmt: skip
    print(f"the calm domain: {client.asked} requests, {len(client.failures)} failed")
    print(f"seconds from wish to proof, the last of each domain: {waited}")
    for failure in client.failures[:5]:
        print(failure)
    return 1 if client.failures else 0


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(words + [30, 1][len(words) :])))
