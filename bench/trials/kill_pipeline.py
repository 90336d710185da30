"""kill -9 at random moments of the demo's traffic: the counts must be the generator's, exactly.

    python bench/trials/kill_pipeline.py [--kills 50] [--seed 1] [--rate 20000]

One `edgetoll edge tail` per edge of the demo and one `edgetoll metering run` follow logs that the
demo's generator writes, half lines included, and that rotate by rename or by copy and are gzipped.
Until `--kills` is reached, one of the four processes is killed with SIGKILL after a random time
(while it starts, too) and started again. At the end everything is drained and compared: requests
and bytes by domain, region and class. Exit 1 when anything differs.

Copytruncate can lose lines by itself (docs/importing.md), so the copy is cut only between writes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from edge.domain import canonical_domain  # noqa: E402
from examples.traffic import EDGES, traffic  # noqa: E402

Key = tuple[str, str, str]


class Traffic(threading.Thread):
    """Writes the demo's lines into each edge's log until told to stop, and counts them."""

    def __init__(self, logs: Path, seed: int, rate: int) -> None:
        super().__init__(daemon=True)
        self.logs, self.seed, self.rate = logs, seed, rate
        self.stop = threading.Event()
        self.requests: Counter[Key] = Counter()
        self.bytes_sent: Counter[Key] = Counter()
        self.rotations = 0
        self._random = random.Random(seed)
        for edge in EDGES:
            (logs / edge.edge_id).mkdir(parents=True)
            (logs / edge.edge_id / "access.log").touch()

    def run(self) -> None:
        """Ten seconds of generated time a round; every line written is counted."""
        end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        number = 0
        while not self.stop.is_set():
            start = end - timedelta(days=2) + timedelta(seconds=10 * (number % 17_000))
            seconds = timedelta(seconds=10)
            chunks = traffic(
                seed=self.seed + number,
                start=start,
                end=start + seconds,
                requests=self.rate,
                chunks=1,
            )
            began = time.monotonic()
            for chunk in chunks:
                log = self.logs / chunk.edge.edge_id / "access.log"
                self._write(log, ("\n".join(chunk.lines.to_list()) + "\n").encode())
                for row in chunk.truth.iter_rows(named=True):
                    name = canonical_domain(row["host"]) or ""
                    key = (name, chunk.edge.region, row["class"])
                    self.requests[key] += row["requests"]
                    self.bytes_sent[key] += row["bytes_sent"]
                if self._random.random() < 0.05:
                    self._rotate(log)
            number += 1
            self.stop.wait(max(0.0, 1.0 - (time.monotonic() - began)))

    def _write(self, log: Path, text: bytes) -> None:
        place = 0
        with open(log, "ab", buffering=0) as file:
            while place < len(text):
                size = self._random.randint(1, 200_000)
                file.write(text[place : place + size])
                place += size
                time.sleep(0.005)

    def _rotate(self, log: Path) -> None:
        self.rotations += 1
        for path in log.parent.glob("access.log.*[0-9]"):
            hidden = path.with_name(f"{path.name}.gz.tmp")
            hidden.write_bytes(gzip.compress(path.read_bytes(), 1))
            hidden.rename(path.with_name(f"{path.name}.gz"))
            path.unlink()
        rotated = log.with_name(f"access.log.{self.rotations}")
        if self._random.random() < 0.5:
            log.rename(rotated)
            log.touch()
        else:
            shutil.copy(log, rotated)
            os.truncate(log, 0)


class Fleet:
    """The four processes, each started again when it is killed."""

    def __init__(self, home: Path, logs: Path) -> None:
        self.home, self.logs = home, logs
        self.words = {edge.edge_id: self.tail(edge.edge_id, edge.region) for edge in EDGES}
        self.words["metering"] = ("metering", "run")
        self.running = {name: self.start(*words) for name, words in self.words.items()}

    def tail(self, edge_id: str, region: str, *more: str) -> tuple[str, ...]:
        """How the agent of one edge is started."""
        log = str(self.logs / edge_id / "access.log")
        where = ("--log", log, "--edge", edge_id, "--region", region, "--from", "beginning")
        return ("edge", "tail", *where, *(more or ("--no-promise", "--poll", "0.02")))

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """One command as a process."""
        command = [sys.executable, str(ROOT / "edgetoll.py"), *words, "--home", str(self.home)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self, name: str) -> None:
        """SIGKILL, and start it again at once."""
        process = self.running[name]
        if process.poll() is not None:
            raise SystemExit(f"{name} ended by itself with {process.returncode}")
        process.kill()
        process.wait()
        self.running[name] = self.start(*self.words[name])

    def end(self) -> None:
        """SIGTERM to all."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self.running.items():
            # One that was killed a moment ago may not have come to handle SIGTERM yet.
            if process.wait(timeout=120) not in (0, -signal.SIGTERM):
                raise SystemExit(f"{name} ended with {process.returncode}")

    def ask(self, *words: str) -> Any:
        """The JSON of a command that must succeed."""
        command = [sys.executable, str(ROOT / "edgetoll.py"), *words, "--home", str(self.home)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{words}: {done.stderr}")
        return json.loads(done.stdout)


def play(folder: Path, options: argparse.Namespace) -> bool:
    """The whole of it; True when every count is the generator's."""
    home, chance = folder / "home", random.Random(options.seed)
    subprocess.run(
        [sys.executable, str(ROOT / "edgetoll.py"), "init", str(home)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    source = Traffic(folder / "logs", options.seed, options.rate)
    fleet = Fleet(home, folder / "logs")
    source.start()
    kills: Counter[str] = Counter()
    while kills.total() < options.kills:
        time.sleep(chance.uniform(0.0, options.wait))
        name = chance.choice([*fleet.words, "metering"])
        fleet.kill(name)
        kills[name] += 1
        print(f"\r{kills.total()} kills, {source.requests.total():,} lines", end="", flush=True)
    source.stop.set()
    source.join()
    fleet.end()
    for edge in EDGES:
        fleet.ask(*fleet.tail(edge.edge_id, edge.region, "--once", "--json"))
    status = fleet.ask("metering", "run", "--drain", "--json")
    rows = fleet.ask(
        "sql",
        "SELECT domain, region, class, sum(requests)::BIGINT AS n, sum(bytes_sent)::BIGINT AS b"
        " FROM usage_5min GROUP BY ALL",
        "--json",
    )
    counted = {(r["domain"], r["region"], r["class"]): (int(r["n"]), int(r["b"])) for r in rows}
    made = {key: (n, source.bytes_sent[key]) for key, n in source.requests.items()}
    wrong = sorted(key for key in made | counted if made.get(key) != counted.get(key))
    for key in wrong:
        print(f"\n{key}: made {made.get(key)}, counted {counted.get(key)}")
    print(f"\n{platform.platform()}, Python {platform.python_version()}, seed {options.seed}")
    print(f"kills -9       {kills.total()} ({dict(sorted(kills.items()))})")
    print(f"rotations      {source.rotations}")
    print(f"requests made  {source.requests.total():,}   bytes {source.bytes_sent.total():,}")
    print(f"counted        {sum(n for n, _ in counted.values()):,}")
    print(f"read = accepted + duplicate + quarantined: {status['read']:,} =", end=" ")
    print(f"{status['accepted']:,} + {status['duplicate']:,} + {status['quarantined']:,}")
    print("exact" if not wrong else f"{len(wrong)} COUNTS DIFFER")
    return not wrong and bool(status["adds_up"])


def main() -> None:
    """Read the options, play, and leave nothing behind unless something differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=20_000, help="lines a second, about")
    parser.add_argument("--wait", type=float, default=8.0, help="longest wait between two kills")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="edgetoll-kills-"))
    if not play(folder, options):
        raise SystemExit(f"kept for a look: {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
