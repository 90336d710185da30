"""The code about the code: lengths, docstrings, banned words, SQL without floats, no hosts."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.syntax import syntax_of

pytestmark = pytest.mark.xdist_group("code")  # they read the same files

SOURCE_LIMIT = 400
TEST_LIMIT = 600
FUNCTION_LIMIT = 60
SQL_LIMIT = 120
MONEY_FOLDER = "billing"
# Hosts are written in parts so that this file does not name what it bans.
HOSTS = [
    a + b for a, b in (("pypi", r"\.org"), ("pythonho", r"sted\.org"), ("registry\\.np", "mjs"))
]
HOSTS += [a + b for a, b in (("repo1?\\.mav", "en"), ("deb\\.debi", r"an\.org"))]
MACHINE_PATHS = ["/wor" + "k/", "/far" + "m/", "/ro" + "ot/"]


def named(files: list[Path], root: Path, *endings: str) -> list[tuple[str, Path]]:
    """(name, path) of the tracked files with one of `endings`."""
    return [(str(f.relative_to(root)), f) for f in files if f.name.endswith(endings)]


def test_no_file_or_function_is_longer_than_a_person_reads(
    tracked_files: list[Path], root: Path
) -> None:
    wrong: list[str] = []
    for name, path in named(tracked_files, root, ".py"):
        text = path.read_text(encoding="utf-8")
        limit = TEST_LIMIT if name.startswith("tests/") else SOURCE_LIMIT
        if text.count("\n") > limit:
            wrong.append(f"{name}: {text.count(chr(10))} lines")
        if name.startswith("tests/"):
            continue
        for node in ast.walk(syntax_of(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LIMIT:
                    wrong.append(f"{name}:{node.lineno} {node.name}: {length} lines")
    assert wrong == []


def test_every_module_says_what_it_is_for(tracked_files: list[Path], root: Path) -> None:
    wrong = [
        name
        for name, path in named(tracked_files, root, ".py")
        if not ast.get_docstring(syntax_of(path))
    ]
    assert wrong == []


def test_public_functions_of_the_product_have_docstrings(
    tracked_files: list[Path], root: Path
) -> None:
    wrong: list[str] = []
    for name, path in named(tracked_files, root, ".py"):
        if name.startswith(("tests/", "bench/")):
            continue
        for node in syntax_of(path).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) and (
                not node.name.startswith("_") and not ast.get_docstring(node)
            ):
                wrong.append(f"{name}:{node.lineno} {node.name}")
    assert wrong == []


def test_each_sql_file_has_a_header_and_no_inexact_arithmetic(
    tracked_files: list[Path], root: Path
) -> None:
    wrong: list[str] = []
    for name, path in named(tracked_files, root, ".sql"):
        lines = path.read_text(encoding="utf-8").splitlines()
        # Chapters of statements have rules of their own (tests/test_sql.py).
        chapter = any(line.startswith("-- name: ") for line in lines)
        if not chapter and len([line for line in lines[:3] if line.startswith("-- ")]) < 3:
            wrong.append(f"{name}: no header of three comment lines")
        if len(lines) > SQL_LIMIT and not chapter and "/schema/" not in f"/{name}":
            wrong.append(f"{name}: {len(lines)} lines")
        code = "\n".join(line.split("--")[0] for line in lines)
        code = re.sub(r"'(?:[^']|'')*'", "''", code)
        if re.search(r"\b(DOUBLE|FLOAT|REAL)\b", code, re.IGNORECASE):
            wrong.append(f"{name}: a float type")
        if re.search(r"(?<![/*])/(?![/*])", code):
            wrong.append(f"{name}: a division «/»; whole numbers are divided by «//»")
        if re.search(r"\bavg\s*\(", code, re.IGNORECASE):
            wrong.append(f"{name}: avg() gives DOUBLE")
        if re.search(r"SELECT\s+\*", code, re.IGNORECASE) and "/views/" in f"/{name}":
            wrong.append(f"{name}: SELECT *")
    assert wrong == []


def test_sql_is_never_built_from_strings(tracked_files: list[Path], root: Path) -> None:
    wrong: list[str] = []
    keyword = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|COPY|ATTACH)\b[\s\S]*\b")
    for name, path in named(tracked_files, root, ".py"):
        if name.startswith("tests/"):
            continue
        for node in ast.walk(syntax_of(path)):
            if isinstance(node, ast.JoinedStr):
                first = node.values[0] if node.values else None
                if (
                    isinstance(first, ast.Constant)
                    and isinstance(first.value, str)
                    and keyword.match(first.value)
                ):
                    wrong.append(f"{name}:{node.lineno}")
    assert wrong == []


def is_text(node: ast.expr) -> bool:
    """Whether `node` is text by its form: no number can be divided by it, a path can."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def floats_in(tree: ast.Module) -> list[tuple[int, str]]:
    """(line, what) of each float literal, float() or round(), and division that may be one."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append((node.lineno, repr(node.value)))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("float", "round"):
            found.append((node.lineno, ast.unparse(node)))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not is_text(node.right):
            found.append((node.lineno, ast.unparse(node)))
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
            found.append((node.lineno, ast.unparse(node)))
    return found


def test_money_modules_hold_no_float(tracked_files: list[Path], root: Path) -> None:
    """FAULTS G25, in all of billing: no float literal, no float() or round(), no true division.

    A slash may only have text on its right, which no number can be divided by: other paths are made
    with joinpath. Seconds that a library wants as a float come from timedelta.total_seconds().
    """
    wrong = [
        f"{name}:{line} {what}"
        for name, path in named(tracked_files, root, ".py")
        if name.startswith(f"{MONEY_FOLDER}/")
        for line, what in floats_in(syntax_of(path))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "line",
    ["path = total / folder_count", "x = 0.5", "x = float(y)", "x = round(y)", "x /= 2",
     "share = home / 'a' / count"],
)  # fmt: skip
def test_a_float_is_seen_whatever_its_names_are(line: str) -> None:
    assert floats_in(ast.parse(line))
    assert floats_in(ast.parse("path = home / 'invoices' / f'{month}.json'")) == []


@pytest.mark.parametrize(
    "patterns", [HOSTS, MACHINE_PATHS], ids=["registry hosts", "machine paths"]
)
def test_no_tracked_file_names(patterns: list[str], tracked_files: list[Path], root: Path) -> None:
    wrong: list[str] = []
    for name, path in named(tracked_files, root, ""):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{name}: {p}" for p in patterns if re.search(p, text, re.IGNORECASE)]
    assert wrong == []


def test_tests_neither_sleep_nor_mock_nor_skip(tracked_files: list[Path], root: Path) -> None:
    banned = ("time.sleep(", "pytest.skip", "mark.skip", "mark.xfail", "mock.patch", "MagicMock")
    wrong: list[str] = []
    for name, path in named(tracked_files, root, ".py"):
        if name.startswith("tests/") and path.name != "test_tidy.py":
            text = path.read_text(encoding="utf-8")
            wrong += [f"{name}: {word}" for word in banned if word in text]
    assert wrong == []
