"""The units in deploy/systemd: each names commands that exist, and systemd accepts them."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import pytest

from tests import forked

UNITS = sorted((Path(__file__).parent.parent / "deploy" / "systemd").iterdir())


def parsed(unit: Path) -> configparser.ConfigParser:
    """The unit's sections; each key stands once in ours."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=True)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read(unit)
    return parser


def commands(unit: Path) -> list[list[str]]:
    """The words after each `edgetoll` that the unit runs, up to what is not a plain word."""
    text = parsed(unit).get("Service", "ExecStart", fallback="")
    return [found.split() for found in re.findall(r"\bedgetoll ([a-z][a-z\- ]*)", text)]


@pytest.mark.parametrize(
    "unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name
)
def test_a_service_runs_commands_that_exist_in_the_home_of_its_user(unit: Path) -> None:
    found = commands(unit)
    assert found
    for words in found:
        plain = [word for word in words if not word.startswith("-")]
        shown = forked.start(*plain, "--help")
        assert forked.ended(shown) == 0
        assert all(word in shown.said()[0] for word in words if word.startswith("--"))
    service = parsed(unit)["Service"]
    home = service["Environment"].removeprefix("EDGETOLL_HOME=")
    assert home == service["ReadWritePaths"] == "/var/lib/" + service["StateDirectory"]


@pytest.mark.parametrize(
    "unit", [unit for unit in UNITS if unit.suffix == ".timer"], ids=lambda unit: unit.name
)
def test_a_timer_has_its_service_and_makes_up_for_a_missed_run(unit: Path) -> None:
    assert unit.with_suffix(".service") in UNITS
    timer = parsed(unit)["Timer"]
    assert timer["Persistent"] == "true"
    assert parsed(unit.with_suffix(".service"))["Service"]["Type"] == "oneshot"


def test_of_two_daemons_one_is_stopped_and_a_timer_beside_one_is_no_failure() -> None:
    named = {unit.name: parsed(unit) for unit in UNITS}
    assert named["edgetoll-run.service"]["Unit"]["Conflicts"] == "edgetoll-billing.service"
    for name in ("edgetoll-alerts.service", "edgetoll-invoice.service"):
        assert "Conflicts" not in named[name]["Unit"], "a timer would stop the daemon"
        assert named[name]["Service"]["SuccessExitStatus"] == "75"


def test_an_edge_server_is_one_target_whose_services_stop_with_it() -> None:
    named = {unit.name: parsed(unit) for unit in UNITS}
    wanted = named["edgetoll-edge.target"]["Unit"]["Wants"].split()
    assert wanted == [f"edgetoll-{name}.service" for name in ("tail", "ship", "nginx", "https")]
    for name in wanted:
        assert named[name]["Unit"]["PartOf"] == "edgetoll-edge.target"
        assert named[name]["Install"]["WantedBy"] == "edgetoll-edge.target"


def test_alerts_are_told_even_when_the_run_before_them_is_held(tmp_path: Path) -> None:
    """The unit's own line, with an `edgetoll` that notes what it was asked; rating is held."""
    said = tmp_path / "said"
    fake = tmp_path / "edgetoll"
    fake.write_text(f'#!/bin/sh\necho "$*" >> {said}\ntest "$2" != rate || exit 3\n')
    fake.chmod(0o755)
    line = parsed(next(u for u in UNITS if u.name == "edgetoll-alerts.service"))
    shell = line["Service"]["ExecStart"].removeprefix("/bin/sh -c '").removesuffix("'")
    done = subprocess.run(
        ["/bin/sh", "-c", shell], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False
    )
    assert done.returncode == 3, "the service manager sees that the run was held"
    assert said.read_text().splitlines() == ["billing rate", "billing alerts"]


@pytest.mark.needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_to_say_of_a_unit(unit: Path) -> None:
    found = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
