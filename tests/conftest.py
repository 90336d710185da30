"""What every test shares: seeds that are printed, real components found or named as missing.

A test marked `needs_nginx` (and so on) uses a real program. Where that program is absent the test
is left out and the last lines say so with the command that gets it; in CI it fails.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import edgetoll
from deploy.caddy.real_caddy import PROGRAM as CADDY
from tests import forked
from tests.effort import THOROUGH

ROOT = Path(__file__).resolve().parent.parent
COMPONENTS = {
    "needs_nginx": (("nginx", "curl"), "apt-get install -y nginx-light curl"),
    "needs_caddy": (
        (str(CADDY), "curl"),
        "apt-get install -y curl; .venv/bin/python -m deploy.caddy.real_caddy (Go 1.25, 5 minutes)",
    ),
    "needs_moto": ((str(ROOT / ".venv/moto/bin/moto_server"),), "make moto"),
    "needs_kafka": (("java", "mvn"), "apt-get install -y openjdk-17-jre-headless maven"),
    "needs_rules": (("mvn",), "apt-get install -y maven"),
    "needs_chromium": (("chromium",), "apt-get install -y chromium"),
    "needs_poppler": (("pdftotext", "pdftoppm"), "apt-get install -y poppler-utils"),
    "needs_fonts": (
        ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/truetype/noto"),
        "apt-get install -y fonts-noto-cjk fonts-noto-core",
    ),
    "needs_real_logs": (("../shared/data/logs",), "lay the shared folder beside the project"),
    "needs_systemd": (("systemd-analyze",), "apt-get install -y systemd"),
}
# Homes of tests lie in memory where there is room: most of what a disk costs is waiting for fsync,
# and no test asks whether a disk keeps what it was told to. TMPDIR=… says otherwise.
MEMORY, ROOM = Path("/dev/shm"), 4 << 30
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
# A few rows are read sooner by one thread than by all who would have to be woken.
if not THOROUGH:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of pyarrow
# Where compiled files may not be kept, each command that a test starts compiles its libraries anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
edgetoll.settle()  # as our own processes do: DuckDB would load pandas
forked.prepare()
LONGEST = ("tests/kafka", "tests/test_install.py", "tests/damage", "tests/metering/worker")
IN_CI = os.environ.get("CI", "") not in ("", "0", "false")
left_out: dict[str, tuple[list[str], list[str]]] = {}
"""By marker: the programs that were missing when the tests were collected, and those tests."""
counted = 0.0
"""CPU seconds of this process that reports have named."""

settings.register_profile(
    "default",
    max_examples=200 if THOROUGH else 30,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("default")


def missing(marker: str) -> list[str]:
    """The programs and folders that `marker` needs and this machine lacks."""
    wanted, _command = COMPONENTS[marker]
    folders = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [
        name
        for name in wanted
        if shutil.which(name, path=folders) is None and not (ROOT / name).is_dir()
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, by name, the tests whose component this machine lacks (never in CI). A file's
    tests share their homes, so one worker runs them; what takes longest begins first, so that the
    workers end together.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(f"{item.path.parent.name}-{item.path.stem}"))
    items.sort(key=lambda item: not str(item.path.relative_to(ROOT)).startswith(LONGEST))
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        lacks = [m for m in COMPONENTS if item.get_closest_marker(m) and missing(m)]
        if lacks and not IN_CI:
            dropped.append(item)
            for marker in lacks:
                left_out.setdefault(marker, (missing(marker), []))[1].append(item.nodeid)
        else:
            kept.append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_runtest_setup(item: pytest.Item) -> None:
    """In CI a missing component fails the test that needs it."""
    for marker in COMPONENTS:
        if item.get_closest_marker(marker) and (lacks := missing(marker)):
            pytest.fail(f"{marker}: {', '.join(lacks)} not found: {COMPONENTS[marker][1]}")


def cpu_seconds() -> float:
    """CPU time of this process and of those it started, or had started, that have ended."""
    return sum(os.times()[:4]) + forked.cpu_seconds()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Each report of a test (its setup, itself, its end) says what CPU it took: all since the one
    before, so that what is shared counts for the test that needed it first.
    """
    global counted
    report = yield
    now = cpu_seconds()
    vars(report)["cpu_seconds"], counted = now - counted, now
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What it took until now is nobody's: imports and collecting."""
    global counted
    counted = cpu_seconds()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker process hands on what it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = left_out


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker left out, every worker did: they all collect everything."""
    left_out.update(getattr(node, "workeroutput", {}).get("left_out", {}))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The last lines: the cost by folder; which tests did not run here, why, and the command that
    changes it.
    """
    for line in costs(one for found in terminalreporter.stats.values() for one in found):
        terminalreporter.write_line(line)
    for marker, (lacks, tests) in left_out.items():
        terminalreporter.write_line(not_run(marker, lacks, tests), yellow=True)


def costs(reports: Iterable[Any]) -> list[str]:
    """CPU seconds by folder of tests, the dearest first; what takes less than one is summed up."""
    seconds: Counter[str] = Counter()
    for report in reports:
        if hasattr(report, "cpu_seconds"):
            folder = Path(report.nodeid.split("::")[0]).parent
            seconds[str(folder)] += report.cpu_seconds
    if not seconds:
        return []
    dear = {folder: cost for folder, cost in seconds.most_common() if cost >= 1}
    lines = [f"{cost:8.1f}  {folder}" for folder, cost in dear.items()]
    rest = seconds.total() - sum(dear.values())
    said = [f"{rest:8.1f}  other folders"] if dear and rest else []
    return ["CPU seconds by folder:", *lines, *said, f"{seconds.total():8.1f}  in all"]


def not_run(marker: str, lacks: list[str], tests: list[str]) -> str:
    """What the last lines say of `tests` (their ids) that need `marker`, for want of `lacks`."""
    files = sorted({name.split("::")[0] for name in tests})
    return (
        f"NOT RUN: {len(tests)} tests need {', '.join(lacks)}, which this machine lacks:"
        f" {', '.join(files)}. Get it: {COMPONENTS[marker][1]}"
    )


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A seed that pytest prints when the test fails; EDGETOLL_SEED repeats a run."""
    chosen = int(os.environ.get("EDGETOLL_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed: EDGETOLL_SEED={chosen}")
    return chosen


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def tracked_files(root: Path) -> list[Path]:
    """Every file of the project that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return [root / name for name in listed.stdout.splitlines() if (root / name).is_file()]
