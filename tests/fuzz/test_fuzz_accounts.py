"""Goal: no load file, however wrong, ends in a traceback or is refused without its place.

Method: files of anything, and rows of which some cells hold anything, are misspelt or gone, as TOML
and as CSV. What is accepted enters the store, and a second load of it writes nothing. Hypothesis
prints the seed; EDGETOLL_FUZZ_EXAMPLES says how many are tried.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing.accounts.agreement_rows import CommitmentRow, CreditRow
from billing.accounts.file_rows import (
    AccountRow,
    DomainRow,
    Loaded,
    MethodRow,
    PlanRow,
    read_load_file,
)
from billing.accounts.load import load
from billing.accounts.staging import zone_lookup
from billing.appliers import open_store
from edge.errors import EdgetollError
from tests.billing.homes import NOW, make_home
from tests.fuzz.test_price_books import FUZZ, INSIDE, anything, toml

ROWS: dict[str, tuple[dict[str, object], list[str]]] = {
    "accounts": (
        {"id": "a1", "name": "A", "currency": "USD", "price_book": "plain"},
        list(AccountRow.model_fields),
    ),
    "domains": ({"domain": "www.x.example", "account": "acme"}, list(DomainRow.model_fields)),
    "plans": (
        {"id": "p1", "account": "acme", "kind": "https_requests", "quantity": 100,
         "starts": "2026-10-01T00:00:00Z", "ends": "2026-11-01T00:00:00Z"},
        list(PlanRow.model_fields),
    ),
    "credits": (
        {"id": "g1", "account": "acme", "amount": "5.00", "starts": "2026-10-01T00:00:00Z",
         "ends": "2026-11-01T00:00:00Z"},
        list(CreditRow.model_fields),
    ),
    "commitments": (
        {"id": "m1", "account": "acme", "amount": "5.00", "starts": "2026-10-01T00:00:00Z"},
        list(CommitmentRow.model_fields),
    ),
    "methods": (
        {"account": "acme", "method": "peak_bandwidth", "effective_from": "2026-11-01T00:00:00Z"},
        list(MethodRow.model_fields),
    ),
}  # fmt: skip
GOOD: dict[str, list[object]] = {
    "opened": ["2026-10-01T00:00:00Z", "1999-01-01"], "closed": ["never", "2026-10-05T00:00:00Z"],
    "why": ["typo", ""], "replaces": ["nothing", "p1"], "effective_to": ["never", "2026-10-02"],
    "credit_limit": ["5.00", "-1", "1e5"], "tax_rate_percent": ["19", "8.875", "101"],
    "email": ["a@b.example", "a"], "quantity": ["500 GB", "1_000", "0", "٣"],
    "timezone": ["UTC", "../etc", "Mars/Base"], "domain": ["*.x.example", "a b", "my_app.example"],
    "account": ["acme", "nobody"], "low_balance_threshold": ["1.00"],
    "items": [["plan"], ["x"], "plan"], "regions": [["EU"], [""]], "settles": ["term"],
    "amount": ["0", "1e5"], "price": ["40.00", "-1"],
}  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    """A load file: its ending and its text."""
    ending = draw(st.sampled_from(["toml", "csv"]))
    kinds = draw(st.lists(st.sampled_from(sorted(ROWS)), min_size=1, max_size=3))
    kinds = kinds[:1] if ending == "csv" else kinds
    content: dict[str, list[dict[str, object]]] = {}
    for kind in kinds:
        good, keys = ROWS[kind]
        row = dict(good)
        for _ in range(draw(st.integers(0, 3))):
            key = draw(st.sampled_from([*keys, *keys, "x", ""]))
            if draw(st.integers(0, 4)) == 0:
                row.pop(key, None)
            else:
                choice = GOOD.get(key)
                row[key] = draw(st.sampled_from(choice) if choice else anything)
        content.setdefault(kind, []).append(row)
    if ending == "toml":
        return ending, "\n".join(f"{kind} = {toml(rows)}" for kind, rows in content.items()) + "\n"
    text = io.StringIO()
    (rows,) = content.values()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return ending, text.getvalue()


def checked(error: EdgetollError, content: str) -> str:
    """A refusal: it has a hint, can be printed, and says nothing of the libraries inside."""
    text = str(error)
    assert error.hint
    assert text.isprintable(), repr(text)
    assert not [word for word in INSIDE if word in text and word not in content], text
    return text


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the accounts of the tests."""
    return make_home(tmp_path_factory.mktemp("fuzz"))


def enter(home: Path, read: Loaded) -> int | None:
    """Load the rows; the journal's number, None when nothing was new."""
    with open_store(home, owner="test", now=NOW) as store:
        zones = zone_lookup({"plain": "UTC"})
        return load(store, read, at=NOW, zone_of_book=zones).journal_no


@FUZZ
@given(made=files())
@example(made=("csv", "id,name,currency,price_book\n\x00,a,USD,plain\n"))
@example(made=("toml", "plans = 3\n"))
@example(made=("toml", 'accounts = [{id = "a", name = "b\\nc"}]\n'))
def test_a_load_file_is_refused_with_its_place_or_enters_and_is_known_then(
    home: Path, tmp_path: Path, made: tuple[str, str]
) -> None:
    ending, text = made
    path = tmp_path / f"rows.{ending}"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    refused: EdgetollError | None = None
    try:
        read = read_load_file(path)
        enter(home, read)
    except EdgetollError as error:
        refused = error
    if refused is not None:
        assert "rows." in checked(refused, text) or "belong to" in str(refused)
        return
    assert enter(home, read) is None, "the same rows are known"


@FUZZ
@given(data=st.binary(max_size=200), ending=st.sampled_from(["toml", "csv", "txt"]))
@example(data=b"\xff\xfe", ending="csv")
@example(data=b'"' + b"a" * 200_000, ending="csv")
@example(data=b"domain,domain,account\na.example,b.example,acme\n", ending="csv")
@example(data=b"a = " + b"[" * 5000, ending="toml")
def test_a_load_file_of_anything_is_refused_by_name(
    tmp_path: Path, data: bytes, ending: str
) -> None:
    path = tmp_path / f"rows.{ending}"
    path.write_bytes(data)
    with pytest.raises(EdgetollError) as caught:
        read_load_file(path)
    assert path.name in checked(caught.value, repr(data))
