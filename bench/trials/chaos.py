"""Chaos: edges, workers and the broker killed at random; totals must equal the generator's.

    python bench/trials/chaos.py [KILLS] [SEED]      200 kills take some 20 minutes

Two workers, eight partitions, real processes: `edge ship` and `metering run --kafka` as a person
starts them, through a proxy that cuts answers. A kill is SIGKILL of one of them or of the broker;
whoever died is started again. Between kills batches and JSON events are sent again and out of
order. The traffic moves on by an hour now and then, so that hours close, and are revised, between
the kills. In a run of fifty kills or more there is an edge that promises nothing and a deadline of
a minute: its hours must close as incomplete and name it. In one of a hundred or more the broker is
once away for two minutes. At the end all is drained, and the closed hours are held against what was
generated.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import pyarrow.parquet as pq  # noqa: E402

from bench.kafka.faultproxy import FaultProxy  # noqa: E402
from bench.kafka.mischief import JsonTraffic, cut_answers, send_shuffled  # noqa: E402
from bench.kafka.traffic import Key, Shape, Truth, fill  # noqa: E402
from deploy.kafka.broker import Broker  # noqa: E402
from metering.closed import Certificate, list_closed, read_certificate, verify_chain  # noqa: E402

TOPIC = "edgetoll.requests.v1"
PARTITIONS = 8
EDGES = 6
SHARES = ("0-3", "4-7")
OUTAGE_S = 120.0
FILLS_AN_HOUR = 8
MUTE = "edge-mute"
"""The edge that promises nothing."""


@dataclass(slots=True)
class Verdict:
    """What chaos left: counted against made, and certificates that say less than they should."""

    kills: Counter[str] = field(default_factory=Counter)
    made: tuple[int, int] = (0, 0)
    counted: tuple[int, int] = (0, 0)
    accepted: int = 0
    """Requests the workers say they counted, in open hours too: what tells a loss from an hour that
    is not closed."""
    wrong_keys: int = 0
    incomplete: int = 0
    unnamed: int = 0
    """Incomplete hours whose certificate names no edge."""
    mute_told: bool = True
    """Whether an incomplete hour names the edge that promises nothing, where there is one."""
    certificates: int = 0
    revisions: int = 0
    early: int = 0
    """Certificates written before the last kill."""
    sent_again: int = 0
    connections: int = 0
    outages: int = 0

    @property
    def exact(self) -> bool:
        """Totals equal to the unit, key by key; every hour complete, or naming what is missing."""
        counted = self.made == self.counted and not self.wrong_keys
        return counted and not self.unnamed and self.mute_told


class Chaos:
    """One run in `folder`, decided by `seed`."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self._configure("")
        self.broker = Broker(folder / "broker", proxied=True)
        self.proxy: FaultProxy | None = None
        self.rng = random.Random(seed)
        self.truth = Truth()
        self.json = JsonTraffic(self.truth, self.rng)
        self.verdict = Verdict()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._filled = 0
        self._log = open(folder / "processes.log", "ab")  # noqa: SIM115

    def _configure(self, metering: str) -> None:
        link = f'topic = "{TOPIC}"\nrequest_timeout_seconds = 3\n'
        (self.home / "edgetoll.toml").write_text(
            f"[edge.kafka]\n{link}[metering]\n{metering}[metering.kafka]\n{link}"
            "stuck_after_seconds = 5\njson_window_days = 4000\n"
        )

    def _words(self, name: str) -> list[str]:
        program = [sys.executable, str(ROOT / "edgetoll.py")]
        common = ["--kafka", f"127.0.0.1:{self.broker.proxy_port}", "--home", str(self.home)]
        if name == "edge":
            return [*program, "edge", "ship", *common]
        return [*program, "metering", "run", "--partitions", name, *common]

    def _start(self, name: str) -> None:
        self._running[name] = subprocess.Popen(
            self._words(name), stdout=self._log, stderr=self._log
        )

    def _fill(self, edge: str | None = None, last: int | None = None) -> None:
        """More traffic in one edge's spool, two hours of it; some of them may be closed already."""
        name = edge or f"edge-{self.rng.randrange(EDGES)}"
        hour = self._filled // FILLS_AN_HOUR if last is None else last
        self._filled += 1
        shape = Shape(batches=4, events=60, first_hour=hour, open_handed=name != MUTE)
        made = fill(self.home, name, "DE", shape, self._filled)
        self.truth.requests.update(made.requests)
        self.truth.bytes_sent.update(made.bytes_sent)

    def run(self, kills: int) -> Verdict:
        """Kill `kills` times, then drain and judge."""
        self.broker.start()
        self.broker.create_topic(TOPIC, PARTITIONS)
        with FaultProxy(self.broker.proxy_port, self.broker.listener("PROXIED")) as self.proxy:
            self._disturb(kills)
            self.verdict.connections = self.proxy.connections
        return self._judge()

    def _disturb(self, kills: int) -> None:
        if kills >= 50:
            self._configure("deadline_hours = 0.02\n")
            self._fill(MUTE)
        for _ in range(EDGES):
            self._fill()
        names = ("edge", *SHARES)
        try:
            for name in names:
                self._start(name)
            for number in range(kills):
                self._fill()
                self._trouble()
                # Now and then long enough for hours to close.
                time.sleep(self.rng.choice([*[self.rng.uniform(0.0, 1.5)] * 9, 8.0]))
                self._kill(self.rng.choice([*names, *names, "broker"]))
                if number == kills // 2 and kills >= 100:
                    self._outage()
            assert self.proxy is not None
            self.proxy.on_answer = None
            self.verdict.early = len(list_closed(self.home))
            self._promise()
            self._drain()
        finally:
            for process in self._running.values():
                process.kill()
                process.wait()
            self.broker.stop()
            self._log.close()

    def _trouble(self) -> None:
        """Cut answers one time in three; send batches again, out of order, one time in four."""
        assert self.proxy is not None
        if self.rng.random() < 0.33:
            cut_answers(self.proxy, self.rng)
        if self.rng.random() < 0.25:
            address = self.broker.address
            self.verdict.sent_again += send_shuffled(self.home, address, TOPIC, self.rng)
        self.json.send(self.broker.address, TOPIC, self._filled // FILLS_AN_HOUR)

    def _outage(self) -> None:
        """The broker away for minutes, while spools grow."""
        self.verdict.outages += 1
        self.broker.kill()
        until = time.monotonic() + OUTAGE_S
        while time.monotonic() < until:
            self._fill()
            time.sleep(5.0)
        self.broker.start()

    def _kill(self, victim: str) -> None:
        self.verdict.kills[victim] += 1
        if victim == "broker":
            self.broker.kill()
            time.sleep(self.rng.uniform(0.0, 2.0))
            self.broker.start()
        else:
            self._running[victim].kill()
            self._running[victim].wait()
            if victim == "edge" and self.rng.random() < 0.3:
                # As if it died between the broker's answer and its own note of it: all comes again.
                for note in self.home.glob("spool/*/acknowledged.json"):
                    note.unlink()
        for name, process in self._running.items():
            if process.poll() is not None:  # the victim, or a worker its watchdog ended
                self._start(name)

    def _promise(self) -> None:
        """Every edge reaches the same end but the mute one, whose deadline is over."""
        self.json.send_all_again(self.broker.address, TOPIC)
        hour = self._filled // FILLS_AN_HOUR + 1
        for number in range(EDGES):
            self._fill(f"edge-{number}", last=hour)
        if (self.home / "spool" / MUTE).exists():
            self._configure("deadline_hours = 0.000001\n")

    def _drain(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait(60)
        for name in ("edge", *SHARES):
            subprocess.run(
                [*self._words(name), "--drain"],
                check=True,
                timeout=300,
                stdout=self._log,
                stderr=self._log,
            )

    def _judge(self) -> Verdict:
        requests: Counter[Key] = Counter()
        sizes: Counter[Key] = Counter()
        files = list_closed(self.home)
        verify_chain(files)
        newest: dict[tuple[str, str], Certificate] = {}
        for file in files:
            certificate = read_certificate(file.certificate_path)
            newest[certificate.partition, certificate.hour] = certificate
            table = pq.read_table(file.data_path)
            buckets = table["bucket"].cast("timestamp[ms]").cast("int64").to_pylist()
            for bucket, row in zip(buckets, table.to_pylist(), strict=True):
                key = (bucket, row["domain"], row["region"], row["class"])
                requests[key] += row["requests"]
                sizes[key] += row["bytes_sent"]
        verdict, truth = self.verdict, self.truth
        verdict.made = truth.total
        verdict.counted = (sum(requests.values()), sum(sizes.values()))
        for path in (self.home / "live").glob("status*.json"):
            verdict.accepted += json.loads(path.read_bytes())["accepted"]
        differ = {key for key in requests | truth.requests if requests[key] != truth.requests[key]}
        differ |= {key for key in sizes if sizes[key] != truth.bytes_sent[key]}
        verdict.wrong_keys = len(differ)
        verdict.certificates = len(files)
        verdict.revisions = sum(file.revision > 0 for file in files)
        incomplete = [one for one in newest.values() if one.state != "closed"]
        verdict.incomplete = len(incomplete)
        verdict.unnamed = sum(not one.missing_edges for one in incomplete)
        if (self.home / "spool" / MUTE).exists():
            verdict.mute_told = any(MUTE in one.missing_edges for one in incomplete)
        return verdict


def main() -> int:
    """Run it once and print the verdict as JSON."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**32)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="edgetoll-chaos-") as folder:
        verdict = Chaos(Path(folder), seed).run(kills)
    document = {
        "seed": seed,
        "kills": dict(verdict.kills),
        "made": verdict.made,
        "counted": verdict.counted,
        "accepted": verdict.accepted,
        "wrong_keys": verdict.wrong_keys,
        "certificates": verdict.certificates,
        "before_the_last_kill": verdict.early,
        "revisions": verdict.revisions,
        "incomplete_hours": verdict.incomplete,
        "incomplete_and_unnamed": verdict.unnamed,
        "mute_told": verdict.mute_told,
        "sent_again": verdict.sent_again,
        "connections": verdict.connections,
        "outages": verdict.outages,
        "exact": verdict.exact,
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(document))
    return 0 if verdict.exact else 1


if __name__ == "__main__":
    sys.exit(main())
