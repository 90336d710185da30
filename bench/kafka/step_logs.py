"""Step of the Kafka bench: access log → acknowledged by Kafka, with kcat and rsyslog beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from bench.kafka.table import ROOT, Bench, Spent, spending

FORMATS = ("nginx-tsv", "nginx")
RSYSLOGD = "/usr/sbin/rsyslogd"
OMKAFKA = "rsyslog/omkafka.so"
NOT_PARSED = "baseline: lines as they are, nothing parsed, not once"


def log_lines(bench: Bench) -> None:
    """Import and ship as two programs in turn; then what others ship the same lines with."""
    lines = max(50_000, round(bench.scale * 5_000_000))
    for form in FORMATS:
        topic = bench.broker.create_topic(f"edgetoll.requests.{form}", 1)
        home = bench.home(f"log-{form}", topic)
        log = bench.scratch / f"{form}.log"
        _write_log(log, form, lines)
        with spending() as spent:
            program = [sys.executable, str(ROOT / "edgetoll.py"), "edge", "import", str(log)]
            options = ["--format", form, "--edge", "e1", "--region", "DE", "--home", str(home)]
            subprocess.run([*program, *options], check=True, stdout=subprocess.DEVNULL)
            bench.ship(home)
        what = f"access log ({form}) → acknowledged"
        bench.add(what, lines, "lines", spent, "import, then ship --drain, both programs' start")
        _others(bench, form, log, lines)
        log.unlink()


def _others(bench: Bench, form: str, log: Path, lines: int) -> None:
    """kcat and rsyslog, where they are installed; else how to get them."""
    if shutil.which("kcat"):
        topic = bench.broker.create_topic(f"kcat.{form}", 1)
        spent = _kcat(bench.broker.address, topic, log)
        _all_there(bench, topic, lines)
        bench.add(f"kcat, the same {form} file", lines, "lines", spent, NOT_PARSED)
    else:
        bench.say(f"kcat, the same {form} file", "absent", "", "sudo apt-get install kcat")
    if any(Path("/usr/lib").glob(f"*/{OMKAFKA}")) and Path(RSYSLOGD).exists():
        topic = bench.broker.create_topic(f"rsyslog.{form}", 1)
        spent = _rsyslog(bench, topic, log, lines)
        bench.add(f"rsyslog omkafka, the same {form} file", lines, "lines", spent, NOT_PARSED)
    else:
        what = f"rsyslog omkafka, the same {form} file"
        bench.say(what, "absent", "", "sudo apt-get install rsyslog rsyslog-kafka")


def _kcat(address: str, topic: str, log: Path) -> Spent:
    with spending() as spent:
        command = ["kcat", "-P", "-b", address, "-t", topic, "-X", "acks=all"]
        tuned = ["-X", "linger.ms=50", "-X", "queue.buffering.max.messages=1000000"]
        subprocess.run([*command, *tuned, "-l", str(log)], check=True)
    return spent


def _rsyslog(bench: Bench, topic: str, log: Path, lines: int) -> Spent:
    """rsyslogd in the foreground, imfile to omkafka, until the topic holds every line."""
    folder = bench.scratch / topic
    folder.mkdir()
    config = folder / "rsyslog.conf"
    config.write_text(
        f'global(workDirectory="{folder}" maxMessageSize="8k")\n'
        'module(load="imfile")\nmodule(load="omkafka")\n'
        'main_queue(queue.size="500000" queue.dequeueBatchSize="4096" queue.workerThreads="2"'
        ' queue.timeoutEnqueue="600000")\n'
        'template(name="line" type="string" string="%msg%")\n'
        f'input(type="imfile" file="{log}" tag="log:" readMode="0")\n'
        f'action(type="omkafka" broker=["{bench.broker.address}"] topic="{topic}"'
        ' template="line" confParam=["acks=all","linger.ms=50",'
        '"queue.buffering.max.messages=1000000"] queue.type="LinkedList" queue.size="500000"'
        ' queue.dequeueBatchSize="4096" queue.timeoutEnqueue="600000")\n'
    )
    command = [RSYSLOGD, "-n", "-f", str(config), "-i", str(folder / "pid")]
    with spending() as spent:
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 300
            while (found := _records(bench.broker.address, topic)) < lines:
                if time.monotonic() > until or running.poll() is not None:
                    raise SystemExit(f"rsyslog brought {found:,} of {lines:,} lines")
                time.sleep(0.05)
            arrived = time.monotonic()
        finally:
            running.terminate()
            running.wait()
            ended = time.monotonic()
    spent.seconds -= ended - arrived  # what it takes to end is not shipping
    return spent


def _all_there(bench: Bench, topic: str, lines: int) -> None:
    found = _records(bench.broker.address, topic)
    if found != lines:
        raise SystemExit(f"{topic} holds {found:,} of {lines:,} lines")


def _records(address: str, topic: str) -> int:
    """How many records partition 0 of a topic has."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": address, "group.id": f"look-{os.getpid()}"})
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
        return int(high - low)
    finally:
        consumer.close()


def _write_log(path: Path, form: str, lines: int) -> None:
    """A synthetic access log: `form` nginx (JSON) or nginx-tsv, spread over an hour."""
    rng = np.random.default_rng(5)
    block = 100_000
    with open(path, "w", encoding="ascii") as file:
        for start in range(0, lines, block):
            count = min(block, lines - start)
            domain = rng.integers(0, 500, count).tolist()
            size = rng.lognormal(9.0, 1.6, count).astype(np.int64).tolist()
            rows = []
            for number in range(count):
                at = 1_790_000_000_000 + (start + number) * 3_600_000 // lines
                values = (
                    f"{at // 1000}.{at % 1000:03d}",
                    f"d{domain[number]}.example.com",
                    "https",
                    "HTTP/2.0",
                    "200",
                    str(size[number]),
                    "HIT",
                    f"{start + number:032x}",
                )
                rows.append(_line(form, values))
            file.write("".join(rows))


def _line(form: str, values: tuple[str, ...]) -> str:
    if form == "nginx-tsv":
        return "\t".join(values) + "\n"
    names = ("time", "host", "scheme", "protocol", "status", "bytes_sent", "cache", "id")
    return json.dumps(dict(zip(names, values, strict=True)), separators=(",", ":")) + "\n"
