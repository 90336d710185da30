"""Random changes of domains' HTTPS with kill -9 of the agent, at its renames and reloads too, and
of the `nginx -t` it runs: `python -m bench.trials.https_chaos 300 1` (changes, seed).

Needs nginx and curl. Prints what was done and how long each settling took; exit 1 when the edge did
not end in what was wished, a request of an untouched domain failed, or the bill's counts by class
are not the requests that were made.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.edge.https.chaos import CALM, Chaos, billed
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
        made = dict(chaos.answered + client.answered())
        counted = billed(edge, [CALM, *chaos.book])
        waited = sorted(
            line["seconds_to_live"]
            for line in edge.status()["domains"].values()
            if line["seconds_to_live"] is not None
        )
    print(f"seed {seed}: {chaos.changes} changes, {chaos.kills} kills of the agent,"
          f" {chaos.killed_tests} of nginx -t,"
          f" {time.monotonic() - began:.0f} s")  # fmt: skip
    print(f"the calm domain: {client.asked} requests, {len(client.failures)} failed")
    print(f"seconds from wish to proof, the last of each domain: {waited}")
    print(f"requests made, by class: {made}; on the bill: {counted}")
    for failure in client.failures[:5]:
        print(failure)
    return 1 if client.failures or made != counted else 0


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(words + [30, 1][len(words) :])))
