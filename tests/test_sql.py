"""SQL about SQL: chapters of statements with callers, products with a grain and a reader."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import sql
from tests.syntax import syntax_of

pytestmark = pytest.mark.xdist_group("code")  # they read the same files

STATEMENT_LINES = 120
CHAPTER_LINES = 400
PRODUCTS = ("views", "checks", "macros", "queries", "lake", "lake_schema")
_NAME = re.compile(r"^-- name: (.*)$", re.MULTILINE)


def chapter_files(root: Path) -> list[Path]:
    """Every file of statements."""
    return sorted((root / "sql" / "statements").rglob("*.sql"))


def name_of(path: Path, root: Path) -> str:
    """A file of sql/ as `sql.text` takes it."""
    return str(path.relative_to(root / "sql").with_suffix(""))


def literals(tracked_files: list[Path], root: Path) -> set[str]:
    """Every text that stands in the code of the product as it is."""
    found: set[str] = set()
    for path in tracked_files:
        name = str(path.relative_to(root))
        if name.endswith(".py") and not name.startswith(("tests/", "bench/")):
            for node in ast.walk(syntax_of(path)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return found


def products(root: Path) -> list[Path]:
    """Every view, check, macro, query, table of the lake and its shape."""
    return [path for folder in PRODUCTS for path in sorted((root / "sql" / folder).glob("*.sql"))]


def header(path: Path) -> list[str]:
    """The comment lines that open a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    end = next((n for n, line in enumerate(lines) if not line.startswith("-- ")), len(lines))
    return [line.removeprefix("-- ") for line in lines[:end]]


def test_each_statement_has_a_caller_that_spells_its_name(
    tracked_files: list[Path], root: Path
) -> None:
    called = literals(tracked_files, root)
    unused = [
        f"{chapter}/{statement}"
        for chapter in (name_of(path, root) for path in chapter_files(root))
        for statement in sql.chapters(chapter)
        if f"{chapter}/{statement}" not in called
    ]
    assert unused == []


def test_each_name_of_a_statement_in_the_code_is_there(
    tracked_files: list[Path], root: Path
) -> None:
    missing = []
    for name in literals(tracked_files, root):
        if re.fullmatch(r"(statements|lake|lake_schema|schema|queries)/[a-z0-9_/]+[a-z0-9]", name):
            try:
                sql.text(name)
            except FileNotFoundError as error:
                missing.append(str(error))
    assert missing == []


def test_statements_stand_in_chapters_that_a_person_reads(root: Path) -> None:
    wrong: list[str] = []
    for path in chapter_files(root):
        text = path.read_text(encoding="utf-8")
        before, *parts = re.split(r"^-- name: .*$", text, flags=re.MULTILINE)
        if not parts:
            wrong.append(f"{path.name}: no -- name: in it")
        if not before.startswith("-- ") or any(
            line and not line.startswith("--") for line in before.splitlines()
        ):
            wrong.append(f"{path.name}: no comment says what the chapter does")
        if text.count("\n") > CHAPTER_LINES:
            wrong.append(f"{path.name}: {text.count(chr(10))} lines")
        for name, body in zip(_NAME.findall(text), parts, strict=True):
            lines = body.strip().splitlines()
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                wrong.append(f"{path.name}: «{name}» is no name")
            if not lines or not lines[0].startswith("-- "):
                wrong.append(f"{path.name}: {name} has no comment line")
            if len(lines) > STATEMENT_LINES:
                wrong.append(f"{path.name}: {name} has {len(lines)} lines")
    assert wrong == []


def test_no_two_statements_of_a_folder_share_a_name(root: Path) -> None:
    places: dict[tuple[str, str], list[str]] = {}
    for path in chapter_files(root):
        for statement in sql.chapters(name_of(path, root)):
            places.setdefault((path.parent.name, statement), []).append(path.name)
    assert {key: files for key, files in places.items() if len(files) > 1} == {}


def test_each_product_says_its_grain_and_what_it_reads(root: Path) -> None:
    wrong: list[str] = []
    for path in products(root):
        lines = header(path)
        for start in ("Grain: one ", "Reads: ", "Read by: "):
            if sum(line.startswith(start) for line in lines) != 1:
                wrong.append(f"{name_of(path, root)}: no line «{start}»")
    assert wrong == []


@pytest.mark.parametrize("folder", PRODUCTS)
def test_who_reads_a_product_does_so(folder: str, root: Path) -> None:
    """A reader named in a header names the product, or lists its folder; people find it in docs."""
    listed = re.compile(rf'names\("{folder}"\)')
    documented = (root / "docs" / "analysts.md").read_text(encoding="utf-8")
    wrong: list[str] = []
    for path in sorted((root / "sql" / folder).glob("*.sql")):
        called = f"lake_{path.stem}" if folder == "lake" else path.stem
        named = re.compile(rf"\b{called}\b")
        text = " ".join(header(path)).partition("Read by: ")[2].removesuffix(".")
        readers = [reader.strip() for reader in text.split(",") if reader.strip()]
        if not readers:
            wrong.append(f"{path.stem}: nobody")
        for reader in readers:
            if reader in ("people (edgetoll sql)", "people (edgetoll query)"):
                if not named.search(documented):
                    wrong.append(f"{path.stem}: docs/analysts.md does not name it")
                continue
            found = root / reader
            text = found.read_text(encoding="utf-8") if found.is_file() else ""
            code = "\n".join(line.partition("-- ")[0] for line in text.splitlines())
            if not named.search(code) and not listed.search(code):
                wrong.append(f"{path.stem}: {reader} does not read it")
    assert wrong == []
