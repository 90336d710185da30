"""The import graph: edge <- metering <- billing, as docs/decisions/0002 says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.syntax import syntax_of

pytestmark = pytest.mark.xdist_group("code")  # they read the same files

PACKAGES = ("edge", "metering", "billing", "sql", "examples")
SHARED_OF_EDGE = {
    "edge",
    "edge.batch.records",
    "edge.batch.codec",
    "edge.configfile",
    "edge.crash_point",
    "edge.terminal",
    "edge.trouble",
    "edge.domain",
    "edge.durable",
    "edge.errors",
    "edge.escaping",
    "edge.event",
    "edge.https.facts",
    "edge.https.status",
    "edge.kafka.link",
    "edge.kafka.topic",
    "edge.logs.refused_lines",
    "edge.reasons",
    "edge.spool.durable_end",
    "edge.spool.segment",
    "edge.batch.signature",
}
SHARED_OF_METERING = {"metering", "metering.closed", "metering.status"}
# `edgetoll run` and `edgetoll check` join all three in one process: wiring, not logic (0002).
JOINING = {
    "billing.daemon.host",
    "billing.commands.check",
    "billing.commands.init",
    "billing.status.gather",
}
NO_WORLD = {"time", "random", "uuid", "socket", "asyncio"}


def modules(root: Path) -> dict[str, ast.Module]:
    """Every module of the packages, parsed."""
    found = {"edgetoll": syntax_of(root / "edgetoll.py")}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = syntax_of(path)
    return found


def imports(tree: ast.Module, known: set[str]) -> set[str]:
    """The project's modules that `tree` imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return {name for name in found if name.split(".")[0] in (*PACKAGES, "edgetoll")}


def test_imports_go_only_to_the_left_and_only_to_what_is_shared(root: Path) -> None:
    parsed = modules(root)
    wrong: list[str] = []
    for name, tree in parsed.items():
        home = name.split(".")[0]
        if home in ("edgetoll", "examples") or name in JOINING:
            continue
        for target in sorted(imports(tree, set(parsed))):
            there = target.split(".")[0]
            allowed = (
                there in (home, "sql")
                or (home in ("metering", "billing") and target in SHARED_OF_EDGE)
                or (home == "billing" and target in SHARED_OF_METERING)
                or (name == "metering.worker.kafka_process" and target == "edge.spool.spool")
            )
            if not allowed:
                wrong.append(f"{name} imports {target}")
    assert wrong == []


def test_the_import_graph_has_no_cycle_between_modules(root: Path) -> None:
    parsed = modules(root)
    at_import: dict[str, set[str]] = {}
    for name, tree in parsed.items():
        top = ast.Module(
            body=[n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))],
            type_ignores=[],
        )
        at_import[name] = imports(top, set(parsed)) - {name}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name in done:
            return
        for target in at_import.get(name, set()):
            visit(target, (*path, name))
        done.add(name)

    for name in at_import:
        visit(name, ())


def test_front_door_help_imports_nothing_heavy(root: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys, edgetoll; edgetoll.main(['--help']);"
        "heavy = {'duckdb', 'pyarrow', 'pandas', 'numpy', 'polars', 'typer', 'pydantic', 'rich'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines()[-1] == "[]"


def package_of(module: str, parsed: dict[str, ast.Module]) -> str:
    """The package a module stands in, as `billing.rating`; a module at the top of one of the three
    stands for itself (`edge.errors`), as does an `__init__`.
    """
    if any(other.startswith(f"{module}.") for other in parsed):
        return module
    parent = module.rpartition(".")[0]
    return module if parent in (*PACKAGES, "") else parent


def package_circles(parsed: dict[str, ast.Module]) -> list[str]:
    """Each circle of packages, lazy imports included, as `a -> b -> a`; none is the empty list."""
    arrows: dict[str, set[str]] = {}
    for name, tree in parsed.items():
        if name.split(".")[0] not in ("edge", "metering", "billing") or name in JOINING:
            continue
        here = package_of(name, parsed)
        there = {package_of(target, parsed) for target in imports(tree, set(parsed))}
        arrows.setdefault(here, set()).update(there - {here, *PACKAGES, "edgetoll"})
    circles: list[str] = []
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            circles.append(" -> ".join((*way[way.index(name) :], name)))
            return
        if name in done:
            return
        for target in sorted(arrows.get(name, ())):
            visit(target, (*way, name))
        done.add(name)

    for name in sorted(arrows):
        visit(name, ())
    return circles


def test_packages_form_no_circle_imports_inside_functions_included(root: Path) -> None:
    assert package_circles(modules(root)) == []


def test_a_planted_lazy_import_is_seen_as_a_circle(root: Path) -> None:
    parsed = modules(root)
    planted = "def late():\n    from billing.balance import states\n    return states\n"
    parsed["billing.store.planted"] = ast.parse(planted)
    found = package_circles(parsed)
    assert any(
        "billing.store -> billing.balance" in circle or "billing.balance" in circle
        for circle in found
    ), found


def test_no_folder_of_code_is_too_broad_for_a_newcomer(root: Path) -> None:
    broad = {
        str(folder.relative_to(root)): len(files)
        for package in ("edge", "metering", "billing", "tests", "bench", "examples", "deploy")
        for folder in (root / package, *(root / package).rglob("*"))
        if folder.is_dir() and len(files := list(folder.glob("*.py"))) > 16
    }
    assert broad == {}


def test_each_package_says_what_is_decided_in_it(root: Path) -> None:
    short = [
        str(path.relative_to(root))
        for package in ("edge", "metering", "billing")
        for path in (root / package).rglob("__init__.py")
        if len(ast.get_docstring(syntax_of(path)) or "") < 60
    ]
    assert short == []


def test_class_names_are_unique_across_the_product(root: Path) -> None:
    homes: dict[str, list[str]] = {}
    for name, tree in modules(root).items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name)
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}


def test_the_console_reads_as_analysts_do_and_nothing_builds_on_it(root: Path) -> None:
    parsed = modules(root)
    known = set(parsed)
    wing = {name for name in known if name.startswith("billing.console")}
    users = {name for name in known - wing if imports(parsed[name], known) & wing}
    assert users <= {"billing.daemon.host"}  # `edgetoll run` has it as a part
    ways_to_write = ("billing.store", "billing.ledger", "billing.appliers", "billing.runs")
    used = {target for name in wing for target in imports(parsed[name], known)}
    assert [target for target in sorted(used) if target.startswith(ways_to_write)] == []
