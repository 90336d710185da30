"""A document that is missing or differs by one byte is red by name, and the command named with it
writes it again; what was issued is what SHA256SUMS noted when it was written.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from billing.invoices.documents import damage, writing
from tests.billing.invoices.samples import credit_note, invoice
from tests.billing.invoices.stored import stored
from tests.effort import THOROUGH

FORMATS = ("json", "csv", "html", "pdf")
FORMS = ("json", "csv", "detail.csv", "html", "pdf")
MONTH = "2026-10"


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    """An invoice and a credit note of October, as they were issued."""
    with stored(invoice(), credit_note()) as connection:
        yield connection


@pytest.fixture(scope="module")
def sound(tables: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with all their documents."""
    home = tmp_path_factory.mktemp("sound")
    writing.write_month(home, tables, MONTH, FORMATS)
    return home


@pytest.fixture
def home(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "home")


def red(home: Path, tables: duckdb.DuckDBPyConnection, *, quick: bool = False) -> dict[str, str]:
    """The documents that are red, each with what it says to do."""
    return {str(row[0]): str(row[-1]) for row in damage.results(home, tables, quick=quick)}


def document(home: Path, form: str) -> Path:
    return home / "invoices" / MONTH / f"{invoice().invoice_no}.{form}"


def flip(place: int) -> Callable[[Path], object]:
    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(bytes(data))

    return damage


DAMAGES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "emptied": lambda path: path.write_bytes(b""),
    "cut": lambda path: os.truncate(path, path.stat().st_size - 1),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "its first byte": flip(0),
    "its last byte": flip(-1),
    "a byte more": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    "of another document": lambda path: shutil.copy(
        path.with_name(f"{credit_note().invoice_no}.json"), path
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_issue_11_a_document_that_is_not_as_written_is_red_and_the_command_mends_it(
    form: str, home: Path, tables: duckdb.DuckDBPyConnection
) -> None:
    path = document(home, form)
    issued = path.read_bytes()
    assert red(home, tables) == {}
    half = [*DAMAGES.items()][FORMS.index(form) % 2 :: 2]  # two neighbours meet all
    for name, harm in DAMAGES.items() if THOROUGH else half:
        harm(path)
        told = red(home, tables)
        assert told.keys() == {path.name}, name
        assert f"edgetoll billing invoice --month {MONTH}" in told[path.name]
        assert bool(red(home, tables, quick=True)) == (name == "deleted"), "quick looks at names"
        writing.write_month(home, tables, MONTH, FORMATS)
        assert (path.read_bytes(), red(home, tables)) == (issued, {}), name


def test_issue_11_any_bit_of_a_document_is_told_and_mended_its_own_hash_too(
    tables: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    home, form = tmp_path, ("json",)
    writing.write_month(home, tables, MONTH, form)
    path = document(home, "json")
    issued = path.read_bytes()
    places = [
        issued.index(b'"content_sha256": "') + 20,
        *range(0, len(issued), 97 if THOROUGH else 997),
    ]
    for place in places:
        flip(place)(path)
        assert red(home, tables).keys() == {path.name}, place
        assert writing.write_month(home, tables, MONTH, form).restored == 1
        assert path.read_bytes() == issued


@pytest.mark.parametrize("damage", ["deleted", "emptied", "zeros", "its first byte", "halved"])
def test_issue_11_damage_to_the_list_of_hashes_is_red_and_mended(
    damage: str, home: Path, tables: duckdb.DuckDBPyConnection
) -> None:
    path = home / "invoices" / MONTH / "SHA256SUMS"
    whole = path.read_bytes()
    halved = {"halved": lambda path: os.truncate(path, len(whole) // 2)}
    (DAMAGES | halved)[damage](path)
    told = red(home, tables)
    assert told
    assert all(f"edgetoll billing invoice --month {MONTH}" in one for one in told.values())
    writing.write_month(home, tables, MONTH, FORMATS)
    assert (path.read_bytes(), red(home, tables)) == (whole, {})


def test_issue_11_the_list_is_one_that_sha256sum_verifies(home: Path) -> None:
    folder = home / "invoices" / MONTH
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=True
    )
    assert done.stdout.count(b": OK") == len(list(folder.iterdir())) - 1


def test_issue_11_a_form_that_is_written_no_more_is_still_kept(
    home: Path, tables: duckdb.DuckDBPyConnection
) -> None:
    issued = document(home, "pdf").read_bytes()
    document(home, "pdf").unlink()
    assert red(home, tables).keys() == {document(home, "pdf").name}
    writing.write_month(home, tables, MONTH, ("json",))
    assert (document(home, "pdf").read_bytes(), red(home, tables)) == (issued, {})


def test_issue_11_a_page_that_an_earlier_edgetoll_rendered_stays_as_it_was_issued(
    home: Path, tables: duckdb.DuckDBPyConnection
) -> None:
    path = document(home, "html")
    then = b"<p>as it looked then</p>"
    path.write_bytes(then)
    sums = path.with_name("SHA256SUMS")
    lines = [one for one in sums.read_text().splitlines() if path.name not in one]
    lines.append(f"{hashlib.sha256(then).hexdigest()}  {path.name}")
    sums.write_text("\n".join(lines) + "\n")
    assert red(home, tables) == {}
    assert writing.write_month(home, tables, MONTH, FORMATS).restored == 0
    assert (path.read_bytes(), red(home, tables)) == (then, {})


def test_issue_11_a_credit_note_written_alone_leaves_what_was_noted_of_others(
    tables: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for number in (invoice().invoice_no, credit_note().invoice_no):
        writing.write_one(tmp_path, tables, number, ("json", "csv"))
    assert red(tmp_path, tables) == {}
    document(tmp_path, "csv").unlink()
    assert red(tmp_path, tables).keys() == {document(tmp_path, "csv").name}


def test_issue_11_a_killed_run_is_made_up_for(
    tables: duckdb.DuckDBPyConnection, home: Path
) -> None:
    """Killed after the documents and before their list: they are known to be unlisted."""
    path = home / "invoices" / MONTH / "SHA256SUMS"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:1]))
    assert writing.missing(home, tables) == [MONTH]
    assert red(home, tables)
    writing.write_month(home, tables, MONTH, FORMATS)
    assert (writing.missing(home, tables), red(home, tables)) == ([], {})
