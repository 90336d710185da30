"""A real Apache Kafka on this machine: jars by Maven coordinates, KRaft, free ports, own folder.

    python deploy/kafka/broker.py fetch                  put the jars into the cache
    python deploy/kafka/broker.py start FOLDER           format if new, start, print HOST:PORT
    python deploy/kafka/broker.py stop FOLDER            stop the broker of that folder, by its pid

The cache is $EDGETOLL_KAFKA_LIBS, else ~/.cache/edgetoll/kafka-VERSION. One process is broker and
controller. Tests, `make demo-kafka` and bench/ use the class Broker; production does not use this.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "4.1.0"
HERE = Path(__file__).resolve().parent
START_TIMEOUT_S = 60.0
CLUSTER_ID = "ZWRnZXRvbGwta2Fma2EtMQ"
QUIET_LOG4J = """\
Configuration:
  status: WARN
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: "%d %p %c{1} %m%n"
  Loggers:
    Root:
      level: WARN
      AppenderRef:
        ref: STDOUT
"""


class BrokerError(Exception):
    """The broker could not be fetched or started; the text says why, with its last log lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """PEM files and users for the listeners that demand proof.

    `keystore` holds the broker's key and certificate chain, `truststore` the authorities that sign
    clients. `users` become SCRAM-SHA-512 credentials when the storage is formatted.
    """

    keystore: Path
    truststore: Path
    users: Mapping[str, str] = field(default_factory=dict)


def libraries() -> Path:
    """The folder with the broker's jars; fetched with Maven when it is not there yet."""
    chosen = os.environ.get("EDGETOLL_KAFKA_LIBS")
    folder = Path(chosen) if chosen else Path.home() / ".cache" / "edgetoll" / f"kafka-{VERSION}"
    if any(folder.glob(f"kafka_2.13-{VERSION}.jar")):
        return folder
    if shutil.which("mvn") is None:
        raise BrokerError("mvn not found: install Java 17 and Maven (Debian: maven)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={scratch}/libs"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise BrokerError(f"Maven could not fetch Kafka {VERSION}:\n{done.stdout[-2000:]}")
        try:
            os.rename(f"{scratch}/libs", folder)
        except OSError:  # another process was faster; its folder is as good
            if not any(folder.glob("kafka_2.13-*.jar")):
                raise
    return folder


def class_archive(jars: Path) -> Path:
    """Where Java keeps the broker's loaded classes; a Java that was updated makes its own."""
    java = Path(os.path.realpath(shutil.which("java") or "java"))
    made = int(java.stat().st_mtime) if java.exists() else 0
    return jars / f"classes-{made}.jsa"


def free_port() -> int:
    """A TCP port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _log_tail(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-3000:] if log.exists() else "(no log)"


class Broker:
    """One broker in `folder`, which keeps its data, ports and pid: it may stop and start again.

    `properties` are added to (or replace) lines of server.properties. `proxied` opens one more
    listener whose advertised address is a port of its own (`proxy_port`), for a proxy to sit on.
    `joins` makes it the second broker of a cluster, whose controller is the one it joins.
    """

    def __init__(
        self,
        folder: Path,
        *,
        properties: Mapping[str, str] | None = None,
        security: Security | None = None,
        proxied: bool = False,
        joins: Broker | None = None,
        heap: str = "512m",
    ) -> None:
        self.folder = folder
        self.heap = heap
        self.security = security
        self.proxied = proxied
        self.joins = joins
        self._extra = dict(properties or {})
        self._config = folder / "server.properties"
        self._pid_file = folder / "broker.pid"
        self._ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """HOST:PORT of the plain listener."""
        return self.listener("PLAINTEXT")

    @property
    def proxy_port(self) -> int:
        """The port that clients of listener PROXIED are told to use; nobody listens there yet."""
        return self._ports["ADVERTISED"]

    def listener(self, name: str) -> str:
        """HOST:PORT of listener PLAINTEXT, PROXIED, MTLS or SCRAM (where they were asked for)."""
        return f"127.0.0.1:{self._ports[name]}"

    def start(self) -> str:
        """Format the storage if it is new, start, wait until it answers; gives HOST:PORT."""
        jars = libraries()
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._config.exists():
            self._read_ports()
        else:
            self._configure()
            self._format(jars)
        self._launch(jars)
        self._wait()
        return self.address

    def create_topic(
        self,
        name: str,
        partitions: int = 8,
        *,
        replicas: Sequence[int] = (1,),
        config: Mapping[str, str] | None = None,
    ) -> str:
        """Make a topic whose records may be as large as our batches; gives its name.

        `replicas` are the nodes that hold each partition, the first its leader.
        """
        from confluent_kafka.admin import AdminClient, NewTopic

        settings = {"max.message.bytes": "2097152", **(config or {})}
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        placed = [list(replicas)] * partitions
        wanted = NewTopic(name, partitions, replica_assignment=placed, config=settings)
        admin.create_topics([wanted])[name].result(30)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:  # made is not yet known to every broker
            found = admin.list_topics(timeout=5).topics.get(name)
            if found is not None and len(found.partitions) == partitions:
                return name
            time.sleep(0.02)
        raise BrokerError(f"topic {name} was made and does not appear")

    def stop(self) -> None:
        """Stop in order: logs are flushed and closed. Harmless when it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9, as a power cut that keeps the disk's cache would be."""
        self._end(signal.SIGKILL)

    @property
    def pid(self) -> int | None:
        """The pid of the running broker, from its pid file; None when it was stopped."""
        return int(self._pid_file.read_text()) if self._pid_file.exists() else None

    def resident_mb(self) -> int:
        """Memory that the broker holds, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(row for row in status.splitlines() if row.startswith("VmRSS"))
        return int(line.split()[1]) // 1024

    def _end(self, how: signal.Signals) -> None:
        pid = self.pid
        if pid is None:
            return
        try:
            os.kill(pid, how)
            if self._process is not None:
                self._process.wait(60)
            else:
                _wait_gone(pid)
        except ProcessLookupError:
            pass
        self._process = None
        self._pid_file.unlink(missing_ok=True)
        for made in self.folder.glob("classes-*.jsa"):
            if how is signal.SIGTERM and not (kept := class_archive(libraries())).exists():
                os.replace(shutil.move(made, kept.with_suffix(f".{pid}")), kept)
            made.unlink(missing_ok=True)

    def _configure(self) -> None:
        names = ["PLAINTEXT", *(["MTLS", "SCRAM"] if self.security else [])]
        names += [] if self.joins else ["CONTROLLER"]
        names += ["PROXIED"] if self.proxied else []
        self._ports = {name: free_port() for name in (*names, "ADVERTISED")}
        listeners = ",".join(f"{name}://127.0.0.1:{self._ports[name]}" for name in names)
        told = ",".join(
            f"{name}://127.0.0.1:{self._ports['ADVERTISED' if name == 'PROXIED' else name]}"
            for name in names
            if name != "CONTROLLER"
        )
        controller = (self.joins or self)._ports["CONTROLLER"]
        settings = {
            "process.roles": "broker" if self.joins else "broker,controller",
            "node.id": "2" if self.joins else "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": listeners,
            "advertised.listeners": told,
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,"
            "PROXIED:PLAINTEXT,MTLS:SSL,SCRAM:SASL_SSL",
            "log.dirs": str(self.folder / "data"),
            "num.partitions": "8",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            # One node: a broker that comes back must not wait long for its own old registration.
            "broker.session.timeout.ms": "1000",
            "broker.heartbeat.interval.ms": "200",
            "log.cleaner.dedupe.buffer.size": "8388608",
            "log.cleaner.io.buffer.size": "1048576",
            "num.network.threads": "2",
            "num.io.threads": "4",
            **(_security_settings(self.security) if self.security else {}),
            **self._extra,
        }
        ports = "".join(f"# port {name} {port}\n" for name, port in self._ports.items())
        body = "".join(f"{key}={value}\n" for key, value in settings.items())
        (self.folder / "log4j2.yaml").write_text(QUIET_LOG4J)
        self._config.write_text(ports + body)

    def _read_ports(self) -> None:
        for line in self._config.read_text().splitlines():
            if line.startswith("# port "):
                _, _, name, port = line.split()
                self._ports[name] = int(port)

    def _java(self, jars: Path, main: str, *arguments: str) -> list[str]:
        return [
            "java",
            *self._class_options(jars, main),
            f"-Xmx{self.heap}",
            f"-Xms{self.heap}",
            "-XX:+UseSerialGC" if self.heap.endswith("m") else "-XX:+UseG1GC",
            # Small brokers live for seconds: the second compiler would only slow their start.
            "-XX:TieredStopAtLevel=1" if self.heap.endswith("m") else "-XX:+TieredCompilation",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.yaml'}",
            "-cp",
            ":".join(sorted(map(str, jars.glob("*.jar")))),
            main,
            *arguments,
        ]

    def _class_options(self, jars: Path, main: str) -> list[str]:
        """Classes as Java keeps them for the next start, which then costs a third of the CPU.

        The first broker that is stopped in order leaves the archive beside the jars.
        """
        if (archive := class_archive(jars)).exists():
            return [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off"]
        if main != "kafka.Kafka":
            return []
        return [f"-XX:ArchiveClassesAtExit={self.folder / archive.name}", "-Xlog:cds=off"]

    def _format(self, jars: Path) -> None:
        arguments = ["format", "-t", CLUSTER_ID, "-c", str(self._config)]
        for user, password in (self.security.users if self.security else {}).items():
            arguments += ["--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]"]
        command = self._java(jars, "kafka.tools.StorageTool", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            self._config.unlink()
            raise BrokerError(f"StorageTool format failed:\n{done.stdout}{done.stderr}")

    def _launch(self, jars: Path) -> None:
        with open(self.folder / "broker.log", "ab") as log:
            self._process = subprocess.Popen(
                self._java(jars, "kafka.Kafka", str(self._config)),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._process.pid))

    def _wait(self) -> None:
        """Return once every partition has its leader; BrokerError with the log otherwise."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        often = {"reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100}
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0, **often})
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                topics = admin.list_topics(timeout=1).topics.values()
            except KafkaException:
                continue
            parts = [part for topic in topics for part in topic.partitions.values()]
            if self.joins or all(part.leader >= 0 for part in parts):
                return
        self.kill()
        raise BrokerError(f"Kafka did not start:\n{_log_tail(self.folder / 'broker.log')}")


def _security_settings(security: Security) -> dict[str, str]:
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(security.keystore),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(security.truststore),
        "listener.name.mtls.ssl.client.auth": "required",
        "listener.name.scram.ssl.client.auth": "none",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config": scram,
    }


def _wait_gone(pid: int) -> None:
    """Wait for a process that is not our child."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        os.kill(pid, 0)
        time.sleep(0.05)
    raise BrokerError(f"the broker with pid {pid} did not stop within 60 s")


def main() -> int:
    """The command line; see the module's text."""
    parser = argparse.ArgumentParser(description="A real Apache Kafka for tests and demos.")
    parser.add_argument("action", choices=("fetch", "start", "stop"))
    parser.add_argument("folder", nargs="?", type=Path, help="where its data, ports and pid are")
    chosen = parser.parse_args()
    try:
        if chosen.action == "fetch":
            print(libraries())
        elif chosen.folder is None:
            parser.error(f"{chosen.action} needs a folder")
        elif chosen.action == "start":
            broker = Broker(chosen.folder.resolve())
            fresh = not chosen.folder.exists()
            print(broker.start())
            if fresh:
                broker.create_topic("edgetoll.requests.v1")
        else:
            Broker(chosen.folder.resolve()).stop()
    except BrokerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
