"""Documentation is tested: commands, views and glossary are what the program has."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

import edgetoll
import sql
from tests.syntax import syntax_of

pytestmark = pytest.mark.xdist_group("code")  # they read the same files

WRITE = os.environ.get("EDGETOLL_GOLDEN") == "write"


def helps() -> Iterator[tuple[str, str]]:
    """(command, its --help) of every command, in the order of the front page."""
    runner = CliRunner(env={"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"})
    for group in edgetoll.GROUPS:
        application = edgetoll.application(group)
        for name in typer.main.get_command(application).commands:  # type: ignore[attr-defined]
            answer = runner.invoke(application, [name, "--help"], prog_name=f"edgetoll {group}")
            yield f"edgetoll {group} {name}", answer.output
    for name in edgetoll.COMMANDS:
        application = edgetoll.application(name)
        answer = runner.invoke(application, ["--help"], prog_name=f"edgetoll {name}")
        yield f"edgetoll {name}", answer.output


def test_every_command_shows_an_example() -> None:
    without = [command for command, text in helps() if "Example" not in text]
    assert without == []


def test_golden_commands_page_is_what_help_prints(root: Path) -> None:
    page = ["# Commands", "", "Every command's own `--help`. Written by `make golden`.", ""]
    page += ["```", edgetoll.front_page(), "```", ""]
    for command, text in helps():
        clean = "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
        page += [f"## {command}", "", "```", clean, "```", ""]
    path = root / "docs" / "commands.md"
    made = "\n".join(page)
    if WRITE:
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made, "docs/commands.md is old: run make golden"


def test_every_public_view_is_documented_with_its_columns(root: Path, tmp_path: Path) -> None:
    from billing.commands.init import make_home
    from billing.lake.query import connect

    make_home(tmp_path / "home")
    page = (root / "docs" / "analysts.md").read_text(encoding="utf-8")
    with connect(tmp_path / "home") as connection:
        for view in sql.names("views"):
            name = view.rsplit("/", 1)[1]
            found = connection.table(name).columns if "macro" not in name else []
            assert f"`{name}`" in page, f"docs/analysts.md does not speak of {name}"
            for column in found[:7]:
                assert f"`{column}`" in page, f"docs/analysts.md does not name {name}.{column}"


def test_links_in_documents_lead_somewhere(tracked_files: list[Path], root: Path) -> None:
    broken: list[str] = []
    for path in tracked_files:
        if path.suffix != ".md":
            continue
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(root)} -> {target}")
    assert broken == []


def test_every_decision_note_has_its_own_number(root: Path) -> None:
    names = sorted(path.name for path in (root / "docs" / "decisions").glob("*.md"))
    numbers = [name[:4] for name in names]
    assert all(number.isdigit() for number in numbers)
    assert len(numbers) == len(set(numbers)), f"two notes with one number: {names}"


def test_make_help_lists_every_target(root: Path) -> None:
    text = (root / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY:(.*)$", text, re.MULTILINE)
    assert targets is not None
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert [name for name in targets[1].split() if f"make {name} " not in shown] == []


@pytest.mark.parametrize("words", [["nonsense"], ["billing", "rate"], ["sql", "SELECT 1"]])
def test_an_error_is_one_line_with_a_hint_and_never_a_traceback(
    words: list[str], root: Path, tmp_path: Path
) -> None:
    answer = subprocess.run(
        [sys.executable, str(root / "edgetoll.py"), *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "EDGETOLL_HOME": str(tmp_path / "nowhere")},
        check=False,
    )
    assert answer.returncode in (1, 2)
    assert "Traceback" not in answer.stderr
    assert answer.stderr.startswith("edgetoll: ")
    assert len(answer.stderr.strip().splitlines()) <= 2


def test_the_last_lines_name_what_a_left_out_test_needs() -> None:
    from tests.conftest import not_run

    said = not_run("needs_nginx", ["nginx"], ["tests/a.py::one", "tests/a.py::two"])
    assert said == (
        "NOT RUN: 2 tests need nginx, which this machine lacks: tests/a.py."
        " Get it: apt-get install -y nginx-light curl"
    )


def test_the_last_lines_say_what_each_folder_cost_setup_and_end_included() -> None:
    from tests.conftest import costs

    def took(place: str, seconds: float) -> SimpleNamespace:
        return SimpleNamespace(nodeid=f"tests/{place}::test_x@group", cpu_seconds=seconds)

    reports = [took("a/test_1.py", 1.5), took("a/test_2.py", 2.25), took("b/test_1.py", 0.5)]
    assert costs([*reports, took("c/test_1.py", 9), SimpleNamespace(nodeid="no report")]) == [
        "CPU seconds by folder:",
        "     9.0  tests/c",
        "     3.8  tests/a",
        "     0.5  other folders",
        "    13.2  in all",
    ]


def test_readme_counts_the_questions_of_the_library(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert f" {len(sql.names('queries'))} questions are ready" in readme


def test_each_rule_stands_where_the_architecture_page_says(root: Path) -> None:
    """The twenty rows of "Where is it decided": file::name, a Python name or a statement's."""
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.split("## Where is it decided", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 20
    missing: list[str] = []
    for row in rows:
        places = re.findall(r"`([\w/.]+)::(\w+)`", row)
        assert places, f"names no place: {row}"
        for file, name in places:
            text = (root / file).read_text(encoding="utf-8") if (root / file).is_file() else ""
            python = rf"^\s*(?:def|class|async def) {name}\b|^{name}\b.*="
            said = rf"{python}|^-- name: {name}$|^CREATE MACRO {name}\("
            if not re.search(said, text, re.MULTILINE):
                missing.append(f"{file}::{name}")
    assert missing == []


def glossary_rows(page: str) -> list[list[str]]:
    """The cells of each row of the glossary."""
    rows = [line.strip().strip("|").split("|") for line in page.splitlines() if "| **" in line]
    return [[cell.strip() for cell in row] for row in rows]


def names_of_the_code(root: Path) -> tuple[set[str], set[str]]:
    """Names of classes and functions of the product, and the words they are made of."""
    names: set[str] = set()
    for package in ("edge", "metering", "billing"):
        for path in (root / package).rglob("*.py"):
            for node in ast.walk(syntax_of(path)):
                if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                    names.add(node.name)
    return names, {word.lower() for name in names for word in re.findall(r"[A-Z]?[a-z]+", name)}


def test_the_glossary_says_what_the_code_says(root: Path) -> None:
    """Names in the glossary are in the code; a word it puts aside is in no name of the code, but
    for those it lists as having a sense of their own, and each of these is really used.
    """
    page = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    names, words = names_of_the_code(root)
    rows = glossary_rows(page)
    classes = [name for row in rows for name in re.findall(r"`([A-Z]\w+)`", row[0])]
    assert classes
    assert [name for name in classes if name not in names] == []
    aside = {
        word.strip().lower()
        for row in rows
        for word in re.sub(r"\(.*?\)", "", row[2]).split(",")
        if re.fullmatch(r"[a-z]+", word.strip())
    }
    own_sense = set(re.findall(r"[a-z]+", page.rsplit("names of the code:", 1)[1]))
    assert sorted(aside & words) == sorted(own_sense)


CASES = [f"{part}{number}" for part, last in (("E", 13), ("M", 6), ("G", 19), ("P", 10))
         for number in range(1, last + 1)]  # fmt: skip


def test_each_case_has_its_kind_three_examples_and_tests_that_bear_its_number(root: Path) -> None:
    page = (root / "docs" / "faults" / "cases.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[1:]] == CASES
    for case, kind, examples, tests in rows[1:]:
        assert kind
        assert len(re.split(r" · |, ", examples)) >= 3, case
        for name in re.findall(r"`([^`]+)`", tests):
            text = (root / "tests" / name).read_text(encoding="utf-8")
            assert f"_{case.lower()}_" in text, f"{case}: no test of {name} bears its number"
