"""Whether the documents on disk are those that the store issued, byte for byte as they were
written.

Each issued document must be there in every form in which it was written. Its JSON must say what the
store says, and each file must have the hash that SHA256SUMS noted when it was written; a statement
of account that was sent has it in its event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import duckdb

import sql
from billing.invoices.documents.files import folder_of, safe_name, statements_folder
from billing.invoices.documents.sums import SUMS, read_sums
from edge.durable import sha256_file

OTHER = "take it out, or, if the journal is an older copy, restore the newest"
Rows = Iterator[tuple[object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedInvoice:
    """A document that the store issued; its total in units of 10^-10."""

    month: str
    invoice_no: str
    account_id: str
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentStatement:
    """The newest statement of account that was to be sent of a month: its file and its hash."""

    account_id: str
    month: str
    file: str
    sha256: str


def results(home: Path, connection: duckdb.DuckDBPyConnection, *, quick: bool = False) -> Rows:
    """Documents that are missing, differ, or were never issued, each with what to do; `quick` looks
    at names only.
    """
    rows = connection.execute(sql.text("statements/lake/check/issued"))
    issued = {
        month: {safe_name(one.invoice_no): one for one in found}
        for month, found in groupby(sql.rows(rows, StatedInvoice), key=lambda one: one.month)
    }
    months = {path.name for path in (home / "invoices").glob("[0-9]*") if path.is_dir()}
    for month in sorted(months | issued.keys()):
        yield from _of_month(home, month, issued.get(month, {}), quick=quick)
    found = connection.execute(sql.text("statements/lake/check/statements"))
    for one in sql.rows(found, SentStatement):
        folder = statements_folder(home, one.month)
        there = {one.file} if folder.joinpath(one.file).exists() else set()
        if wrong := _wrong(folder, one.file, {one.file: one.sha256}, there, quick=quick):
            command = (
                f"edgetoll billing statement {one.account_id} --month {one.month} --send --again"
            )
            yield one.file, wrong, f"put it back from a backup, or {command} sends a new one"


def _of_month(home: Path, month: str, issued: dict[str, StatedInvoice], *, quick: bool) -> Rows:
    folder = folder_of(home, month)
    again = f"edgetoll billing invoice --month {month} writes it again"
    there = {path.name for path in folder.glob("*.*")}
    try:
        sums = read_sums(folder)
    except OSError as error:
        yield SUMS, f"{folder.joinpath(SUMS)} cannot be read: {error.strerror}", again
        return
    for name in sorted(there):
        owner = issued.get(name.partition(".")[0])
        if owner is None and name.endswith(".json"):
            yield name, f"{folder.joinpath(name)} is not what the store issued", OTHER
        elif owner is not None and sums and name not in sums:
            yield name, f"{folder.joinpath(SUMS)} does not list it", again
    if issued and not sums:
        what = "is not there, or lists nothing: nobody can tell whether the documents are as issued"
        yield SUMS, f"{folder.joinpath(SUMS)} {what}", again
    wanted = sums.keys() | {f"{stem}.json" for stem in issued}
    for name in sorted(wanted):
        if wrong := _wrong(folder, name, sums, there, quick=quick):
            yield name, wrong, again
        elif other := None if quick else _other_than(folder, name, issued):
            yield name, other, OTHER


def _wrong(
    folder: Path, name: str, sums: dict[str, str], there: set[str], *, quick: bool
) -> str | None:
    """What is wrong with the bytes of one document; None: nothing."""
    path = folder.joinpath(name)
    if name not in there:
        return f"{path} is missing"
    if quick or name not in sums:
        return None
    try:
        if sha256_file(path) != sums[name]:
            return f"{path} is not what was written: its SHA-256 is another"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return None


def _other_than(folder: Path, name: str, issued: dict[str, StatedInvoice]) -> str | None:
    """What a JSON document says otherwise than the store; None: nothing, or it is no such."""
    stated = issued.get(name.removesuffix(".json"))
    if stated is None:
        return None
    path = folder.joinpath(name)
    try:
        document = json.loads(path.read_bytes())
        said = (
            document["invoice_no"],
            document["account_id"],
            int(Decimal(document["total"]).scaleb(10)),
        )
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError) as error:
        return f"{path} cannot be read as a document: {error}"
    if said != (stated.invoice_no, stated.account_id, stated.total):
        return f"{path} is not what the store issued under {stated.invoice_no}"
    return None
