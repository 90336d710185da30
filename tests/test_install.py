"""A person's first minutes: the wheel in an empty environment, and the demo twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.effort import PATIENCE_S


@pytest.fixture(scope="session")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tree as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=root,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of an environment that has the wheel and its dependencies, no source."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = next((folder / "lib").glob("python3*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # Dependencies come from the environment the tests run in: installing them again proves nothing.
    ours = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    (site / "dependencies.pth").write_text(f"{ours}\n")
    program = folder / "bin" / "edgetoll"
    program.write_text(f"#!{folder}/bin/python\nfrom edgetoll import script\nscript()\n")
    program.chmod(0o755)
    return program


def run(program: Path, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """One command, away from the source tree, with a home that is named relatively, as README's."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(program), *words],
        cwd=home.parent,
        env={**environment, "EDGETOLL_HOME": home.name, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def test_the_wheel_carries_sql_templates_and_samples(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for wanted in (
        "edgetoll/__init__.py",
        "edgetoll/py.typed",
        "billing/py.typed",
        "billing/analysts/templates/report.html.j2",
        "sql/views/dictionary.toml",
        "sql/views/usage_5min.sql",
        "examples/edgetoll.toml",
        "examples/prices/alibaba-international.toml",
        "billing/invoices/templates/invoice.html.j2",
    ):
        assert wanted in names
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]


def test_the_installed_program_plays_the_demo_and_a_second_time_changes_nothing(
    installed: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    first = run(installed, "demo", "--requests", "20000", home=home)
    assert first.returncode == 0, first.stderr + first.stdout
    assert "counted: exact." in first.stdout
    assert "https_requests" in first.stdout
    second = run(installed, "demo", home=home)
    assert second.returncode == 0, second.stderr + second.stdout
    assert "nothing changed" in second.stdout

    # What was made can be asked by the names that DESIGN §5 promises.
    states = run(installed, "sql", "SELECT * FROM account_states", "--json", home=home)
    assert {row["account_id"] for row in json.loads(states.stdout)} >= {"northwind", "tinypixel"}
    lines = run(
        installed,
        "sql",
        "SELECT item, sum(plan_quantity) AS plan FROM invoice_lines GROUP BY item",
        "--json",
        home=home,
    )
    plans = {row["item"]: int(row["plan"]) for row in json.loads(lines.stdout)}
    assert plans["https_requests"] == 0
    assert plans["data_transfer"] > 0
    checked = run(installed, "check", "--json", home=home)
    assert checked.returncode == 0
    assert json.loads(checked.stdout)["red"] == []
