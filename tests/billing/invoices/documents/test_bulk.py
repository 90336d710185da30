"""JSON and CSV, rendered set by set: they say what the tables say, whoever writes them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import date, datetime
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.invoices import reading
from billing.invoices.documents import bulk, writing
from billing.invoices.documents.rendering import rendered
from billing.invoices.documents.sums import read_sums
from tests.billing.invoices.stored import stored_rows
from tests.effort import THOROUGH

CONTEXT = Context(prec=60)
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
) | st.sampled_from(["=cmd()", "@a", "-1", "+1", 'say "hi", twice', "a\r\nb", "\\ / \x1f é 漢"])
MONEY = st.integers(-(10**24), 10**24)
COUNT = st.integers(-(10**17), 10**17)
HEAD = {
    "series": "S", "month": "2026-10", "issued_at": datetime.fromisoformat("2026-11-01 04:00"),
    "due_on": date(2026, 11, 15), "period_start": datetime.fromisoformat("2026-10-01 00:00"),
    "period_end": datetime.fromisoformat("2026-11-01 00:00"),
    "timezone": "Asia/Kathmandu", "hours": 744,
    "incomplete_hours": 1, "certificates": 744, "usage_sha256": "ab" * 32, "run_id": "r",
    "journal_no": 1, "content_sha256": "cd" * 32,
}  # fmt: skip


@st.composite
def heads(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """The row of one document; amounts are whole minor units where the document has them so."""
    digits = draw(st.sampled_from([0, 2, 3]))
    step = 10 ** (10 - digits)
    net, tax = draw(st.integers(-(10**12), 10**12)) * step, draw(st.integers(0, 10**9)) * step
    cut = draw(st.integers(0, step - 1))
    seller = {
        "name": draw(TEXT), "address": draw(st.lists(TEXT, max_size=2)), "tax_id": draw(TEXT),
        "email": draw(TEXT), "notes": draw(st.lists(TEXT, max_size=2)),
    }  # fmt: skip
    return HEAD | {
        "invoice_no": f"INV-USD-2026-{number:06d}",
        "number": number,
        "kind": draw(st.sampled_from(["invoice", "credit_note"])),
        "account_id": draw(TEXT),
        "currency": {0: "JPY", 2: "USD", 3: "KWD"}[digits],
        "digits": digits,
        "seller": json.dumps(seller),
        "customer_name": draw(TEXT),
        "customer_address": draw(TEXT) + draw(st.sampled_from([", ", ",\n ", ""])) + draw(TEXT),
        "customer_country": draw(st.sampled_from(["", "DE"])),
        "customer_tax_id": draw(TEXT),
        "customer_email": draw(TEXT),
        "subtotal": net + cut,
        "cut": cut,
        "tax": tax,
        "total": net + tax,
        "tax_rate_bp": draw(st.integers(0, 10_000)),
        "corrects": draw(st.none() | st.just("INV-USD-2025-000001")),
        "reason": draw(TEXT),
    }


@st.composite
def lines(draw: st.DrawFn, head: dict[str, Any], number: int) -> dict[str, Any]:
    """The row of one line of that document."""
    step = 10 ** (10 - head["digits"])
    return {
        "invoice_no": head["invoice_no"],
        "line_no": number,
        "kind": draw(st.sampled_from(["usage", "correction", "credit"])),
        "item": "https_requests",
        "region": draw(TEXT),
        "domain": draw(st.none() | TEXT),
        "quantity": draw(COUNT),
        "free_quantity": draw(COUNT),
        "plan_quantity": draw(COUNT),
        "billable_quantity": draw(COUNT),
        "unit": draw(TEXT),
        "unit_quantity": draw(st.integers(0, 2**40)),
        "unit_price": draw(MONEY),
        "amount": draw(MONEY),
        "settled_amount": draw(st.integers(-(10**12), 10**12)) * step,
        "leftover": draw(st.integers(-3, 3)) * step,
        "tax_rate_bp": head["tax_rate_bp"],
        "tax": draw(st.integers(-(10**9), 10**9)) * step,
        "rate_card": draw(TEXT),
        "tier": draw(TEXT),
        "corrects_invoice": draw(st.none() | st.just("INV-USD-2026-000017")),
        "corrects_hour": draw(st.none() | st.just(datetime.fromisoformat("2026-09-30 13:00"))),
        "reason": draw(TEXT),
    }


@st.composite
def books(draw: st.DrawFn) -> tuple[list[dict[str, Any]], ...]:
    """Up to three documents with their lines and appendices."""
    some = [draw(heads(number)) for number in range(1, draw(st.integers(1, 3)) + 1)]
    rows = [
        draw(lines(head, number))
        for head in some
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    days = [
        {
            "invoice_no": head["invoice_no"], "day": date(2026, 10, day), "domain": draw(TEXT),
            "class": "https", "region": "DE", "requests": 1, "bytes_sent": 2**50,
        }
        for head in some
        for day in range(1, draw(st.integers(1, 3)))
    ]  # fmt: skip
    return some, rows, days


def figure(text: str) -> int:
    """A decimal string as 10^-10 units, by Python's own arithmetic."""
    return int(Decimal(text).scaleb(10, CONTEXT))


@given(books())
@settings(max_examples=200 if THOROUGH else 8)
def test_json_is_canonical_and_says_what_the_tables_say(
    tables: tuple[list[dict[str, Any]], ...],
) -> None:
    heads, lines, days = tables
    with stored_rows(tables) as connection:
        reading.choose_month(connection, "2026-10", None)
        made = list(rendered(connection))
    assert [one.invoice_no for one in made] == sorted(head["invoice_no"] for head in heads)
    for one, head in zip(made, heads, strict=True):
        document = json.loads(one.json)
        indented = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        assert one.json == orjson.dumps(document, option=indented)
        for key in ("account_id", "kind", "currency", "corrects", "reason"):
            assert document[key] == head[key]
        for key in ("subtotal", "cut", "tax", "total"):
            assert figure(document[key]) == head[key], key
        assert figure(document["net"]) == head["subtotal"] - head["cut"]
        assert Decimal(document["tax_rate_percent"]) * 100 == head["tax_rate_bp"]
        assert document["customer"]["name"] == head["customer_name"]
        assert document["seller"]["name"] == json.loads(head["seller"])["name"]
        own = [line for line in lines if line["invoice_no"] == one.invoice_no]
        for said, line in zip(document["lines"], own, strict=True):
            for key in ("line_no", "quantity", "billable_quantity", "unit_quantity", "region",
                        "domain", "unit", "rate_card", "tier", "reason"):  # fmt: skip
                assert said[key] == line[key], key
            for key in ("unit_price", "amount", "settled_amount", "leftover", "tax"):
                assert figure(said[key]) == line[key], key
        assert len(document["detail"]) == sum(day["invoice_no"] == one.invoice_no for day in days)


@given(books())
@settings(max_examples=200 if THOROUGH else 8)
def test_the_csv_says_what_the_json_says(tables: tuple[list[dict[str, Any]], ...]) -> None:
    with stored_rows(tables) as connection:
        reading.choose_month(connection, "2026-10", None)
        made = list(rendered(connection))
    for one in made:
        document = json.loads(one.json)
        text = io.StringIO(one.csv.decode(), newline="")
        for row, line in zip(csv.DictReader(text), document["lines"], strict=True):
            assert row["invoice_total"] == document["total"]
            assert row["customer"].removeprefix("'") == document["customer"]["name"].removeprefix(
                "'"
            )
            for key in ("line_no", "item", "quantity", "unit_price", "amount", "settled_amount",
                        "tax_rate_percent", "tax"):  # fmt: skip
                assert row[key] == str(line[key]), key


def test_worker_processes_write_what_the_plain_way_writes(tmp_path: Path) -> None:
    head = HEAD | {
        "kind": "invoice", "currency": "USD", "digits": 2, "account_id": "acme",
        "seller": json.dumps({"name": "S", "address": [], "tax_id": "", "email": "", "notes": []}),
        "customer_name": "Ä, Ö", "customer_address": "A 1, B", "customer_country": "DE",
        "customer_tax_id": "", "customer_email": "", "subtotal": 10**8, "cut": 0, "tax": 0,
        "total": 10**8, "tax_rate_bp": 0, "corrects": None, "reason": "",
    }  # fmt: skip
    line = {
        "line_no": 1, "kind": "usage", "item": "https_requests", "region": "all", "domain": None,
        "quantity": 1, "free_quantity": 0, "plan_quantity": 0, "billable_quantity": 1, "unit": "u",
        "unit_quantity": 1, "unit_price": 10**8, "amount": 10**8, "settled_amount": 10**8,
        "leftover": 0, "tax_rate_bp": 0, "tax": 0, "rate_card": "c", "tier": "",
        "corrects_invoice": None, "corrects_hour": None, "reason": "",
    }  # fmt: skip
    numbers = [f"N-USD-2026-{number:06d}" for number in range(1, 60)]
    some = [head | {"invoice_no": no, "number": n} for n, no in enumerate(numbers, start=1)]
    with stored_rows((some, [line | {"invoice_no": no} for no in numbers], [])) as connection:
        plain, fast = tmp_path / "plain", tmp_path / "fast"
        writing.write_month(plain, connection, "2026-10", ("json", "csv"))
        month = fast / "invoices" / "2026-10"
        (month / "drafts").mkdir(parents=True)
        (month / "drafts" / "a.json").write_text("{}")
        (month.with_name(".2026-10.new")).mkdir()
        (month.with_name(".2026-10.new") / f"{numbers[0]}.json").write_text("of a run killed")
        first = bulk.write(fast, connection, "2026-10", workers=2)
        again = bulk.write(fast, connection, "2026-10", workers=2)
        assert first.sums == again.sums == read_sums(plain / "invoices" / "2026-10")
    assert (first.new, first.same, again.new, again.same) == (118, 0, 0, 118)
    assert [path.name for path in (fast / "invoices").iterdir()] == ["2026-10"]
    (month / "drafts" / "a.json").rename(tmp_path / "kept.json")
    (month / "drafts").rmdir()
    (plain / "invoices" / "2026-10" / "SHA256SUMS").unlink()
    assert digests(fast) == digests(plain)
    table = (fast / "invoices" / "2026-10" / f"{numbers[0]}.csv").read_text(encoding="utf-8")
    assert next(csv.DictReader(io.StringIO(table)))["customer"] == "Ä, Ö"


def digests(home: Path) -> dict[str, str]:
    """The documents of a home by name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (home / "invoices" / "2026-10").iterdir()
    }
