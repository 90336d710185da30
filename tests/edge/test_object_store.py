"""Logs out of an object store: moto's server on loopback, asked by the S3 protocol."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from edge.crash_point import VARIABLE
from edge.logs.formats.shipped import FORMATS
from edge.objects.importing import ObjectImporter
from edge.objects.places import objects_of
from tests.edge.agent.test_commands import home, run
from tests.edge.logs.reading import NOW_MS, nginx_lines, open_spool, spool_content
from tests.edge.logs.test_unpacked import by_arrow
from tests.effort import PATIENCE_S

__all__ = ["home"]
pytestmark = pytest.mark.needs_moto

SERVER = Path(__file__).resolve().parents[2] / ".venv/moto/bin/moto_server"
AS_NGINX = ("--format", "nginx", "--edge", "e1", "--region", "DE")
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "a.log": bytes,
    "b.log.gz": gzip.compress,
    "c.log.zst": by_arrow("zstd"),
    "d.log.lz4": by_arrow("lz4"),
    "e.log.bz2": bz2.compress,
    "f.log.xz": lzma.compress,
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of its own for one test."""

    client: httpx.Client
    name: str

    @property
    def place(self) -> str:
        return f"s3://{self.name}/cdn"

    def put(self, key: str, content: bytes) -> None:
        self.client.put(f"/{self.name}/cdn/{key}", content=content).raise_for_status()


@pytest.fixture(scope="module")
def store() -> Iterator[httpx.Client]:
    """The server, and the environment that leads to it."""
    command = [str(SERVER), "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        found = (re.search(r"Running on (http://[0-9.:]+)", line) for line in server.stderr)
        address = next(each[1] for each in found if each)
        threading.Thread(target=server.stderr.read, daemon=True).start()
        try:
            headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20261130/us-east-1/s3/"}
            with (
                pytest.MonkeyPatch.context() as env,
                httpx.Client(base_url=address, headers=headers, timeout=PATIENCE_S) as client,
            ):
                for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                    env.setenv(name, "test")
                env.setenv("AWS_REGION", "us-east-1")
                env.setenv("AWS_EC2_METADATA_DISABLED", "true")
                env.setenv("AWS_ENDPOINT_URL", address)
                yield client
        finally:
            server.terminate()


@pytest.fixture
def bucket(store: httpx.Client, request: pytest.FixtureRequest) -> Bucket:
    name = f"logs-{abs(hash(request.node.name))}"
    store.put(f"/{name}").raise_for_status()
    return Bucket(store, name)


def fill(bucket: Bucket) -> None:
    """Ten lines in each object, packed as its name says."""
    for number, (key, pack) in enumerate(PACKERS.items()):
        bucket.put(key, pack(nginx_lines(number * 10, number * 10 + 10).encode()))


def test_each_object_is_taken_once_however_it_is_packed(
    bucket: Bucket, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(bucket)
    command = ["import", bucket.place, *AS_NGINX, "--home", home, "--json"]

    def taken() -> tuple[int, int, int, int]:
        code, out, _ = run(capsys, *command)
        found = json.loads(out)
        return code, found["files"], found["events"], found["duplicates"]

    assert taken() == (0, 6, 60, 0)
    assert taken() == (0, 0, 0, 0), "none was fetched again"
    bucket.put("a.log", nginx_lines(0, 12).encode())  # it grew
    bucket.put("2026/12/g.log", nginx_lines(70, 75).encode())
    assert taken() == (0, 2, 7, 10)
    assert spool_content(home / "spool" / "e1").events == 67


def test_the_newest_comes_last_and_what_only_looks_newer_is_not_fetched_again(
    bucket: Bucket, tmp_path: Path
) -> None:
    """By the tag of its content, which the store says when an object is opened."""
    fill(bucket)
    found = objects_of([bucket.place])
    assert found == sorted(found, key=lambda each: (each.modified_ns, each.name))
    assert {each.size for each in found} != {0}
    with open_spool(tmp_path / "spool") as spool:
        importer = ObjectImporter(spool, FORMATS["nginx"], "DE", now_ms=lambda: NOW_MS)
        assert importer.run(found).events == 60
        touched = [replace(each, modified_ns=each.modified_ns + 10**9) for each in found]
        again = importer.run(touched)
    assert (again.files, again.notes) == (0, ["6 objects were taken before"])


def test_an_import_that_was_killed_is_gone_on_with_and_its_evidence_can_be_verified(
    bucket: Bucket, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(bucket)
    command = [sys.executable, "-m", "edgetoll", "edge", "import", bucket.place, *AS_NGINX]
    killed = subprocess.run(
        [*command, "--home", str(home)],
        env={**os.environ, VARIABLE: "object-read:3"},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert spool_content(home / "spool" / "e1").events == 30, (
        "the third was durable, not ticked off"
    )
    proof = home / "proof.json"
    rest = ["import", bucket.place, *AS_NGINX, "--home", home, "--evidence", proof, "--json"]
    code, out, _ = run(capsys, *rest)
    found = json.loads(out)
    assert (code, found["files"], found["events"], found["duplicates"]) == (0, 4, 30, 10)
    assert spool_content(home / "spool" / "e1").events == 60
    assert run(capsys, "evidence", "verify", proof)[0] == 0
    bucket.put("e.log.bz2", bz2.compress(nginx_lines(40, 49).encode()))
    assert run(capsys, "evidence", "verify", proof)[0] == 1


def test_what_appears_in_a_store_is_taken_until_the_watch_is_ended(
    bucket: Bucket, home: Path
) -> None:
    fill(bucket)
    command = [sys.executable, "-m", "edgetoll", "edge", "watch", bucket.place, *AS_NGINX]
    with subprocess.Popen(
        [*command, "--poll", "1", "--home", str(home)], stderr=subprocess.PIPE, text=True
    ) as agent:
        assert agent.stderr is not None
        assert "6 objects, 60 events added" in agent.stderr.readline()
        bucket.put("g.log", nginx_lines(60, 65).encode())
        assert "1 object, 5 events added" in agent.stderr.readline()
        agent.terminate()
        assert agent.wait() == 0
    assert spool_content(home / "spool" / "e1").events == 65


def test_a_bucket_that_is_not_there_is_one_line_and_leaves_no_edge(
    store: httpx.Client, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "import", "s3://nowhere/cdn", *AS_NGINX, "--home", home)
    assert (code, err.count("\n")) == (1, 2), err
    assert "s3://nowhere/cdn" in err
    assert not (home / "spool").exists()
