"""The documents of an invoice: what they say, that they are safe to open, and always the same
bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.invoices import reading
from billing.invoices.documents import files, html_document, pdf_document, writing
from billing.invoices.documents.page import amount_text, page
from billing.invoices.documents.rendering import rendered
from billing.invoices.records import DetailRow, Party
from edge.errors import ConflictError
from tests.billing.invoices.samples import CENT, UNIT, credit_note, invoice, line, transfer_line
from tests.billing.invoices.stored import rendered_one, stored
from tests.effort import PATIENCE_S

ROOT = Path(__file__).parents[4]
GOLDEN = ROOT / "tests" / "golden" / "invoices"
WRITE = os.environ.get("EDGETOLL_GOLDEN") == "write"
SCHEMA = json.loads((ROOT / "docs" / "invoice.schema.json").read_text(encoding="utf-8"))
# A spreadsheet takes a cell that begins with one of these for a formula or trims it (OWASP ASVS
# 1.2.10).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
NASTY = st.text(max_size=40) | st.sampled_from(
    ["=cmd()", "@SUM(A1)", "+1", "-1", "\tx", "\rx", "a\0b", 'say "hi"', "a,b\r\nc", "<script>"]
)


def complaints(value: Any, schema: dict[str, Any], place: str = "$") -> list[str]:
    """What is wrong with `value` by the part of JSON Schema that the published file uses."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return complaints(value, SCHEMA["$defs"][name], place)
    if "oneOf" in schema:
        fitting = [one for one in schema["oneOf"] if not complaints(value, one, place)]
        return [] if len(fitting) == 1 else [f"{place}: fits {len(fitting)} of oneOf"]
    found: list[str] = []
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
    wanted = schema.get("type", [])
    names = [wanted] if isinstance(wanted, str) else wanted
    if names and not any(type(value) is kinds[name] for name in names):
        return [f"{place}: {value!r} is no {wanted}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{place}: not {schema['const']}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place}: {value!r} not in {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{place}: {value!r} does not match")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{place}: {value} too small")
    for name in schema.get("required", []):
        found += [] if name in value else [f"{place}: no {name}"]
    for name, inner in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            found += complaints(value[name], inner, f"{place}.{name}")
    if "items" in schema and isinstance(value, list):
        for number, one in enumerate(value):
            found += complaints(one, schema["items"], f"{place}[{number}]")
    return found


def correction() -> Any:
    """An invoice with a correction line, a leftover and a cut."""
    lines = (
        line(amount=80 * CENT + 7, leftover=-CENT, settled_amount=79 * CENT),
        line(
            line_no=2,
            kind="correction",
            corrects_invoice="INV-USD-2026-000017",
            corrects_hour=datetime(2026, 9, 30, 13, tzinfo=UTC),
            reason="late usage",
        ),
    )
    return invoice(lines=lines, subtotal=160 * CENT + 7, cut=CENT + 7, total=174 * CENT)


SAMPLES = {"invoice": invoice(), "correction": correction(), "credit_note": credit_note()}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    ("extension", "render"),
    [
        ("json", lambda one: rendered_one(one).json),
        ("csv", lambda one: rendered_one(one).csv),
        ("detail.csv", lambda one: rendered_one(one).detail_csv),
        ("html", html_document.render),
        ("pdf", pdf_document.render),
    ],
)
def test_golden_documents_have_not_changed(name: str, extension: str, render: Any) -> None:
    made = render(SAMPLES[name])
    if extension == "pdf":  # a digest says the same as 60 kB that nobody reads in a diff
        extension, made = "pdf.sha256", hashlib.sha256(made).hexdigest().encode() + b"\n"
    path = GOLDEN / f"{name}.{extension}"
    if WRITE:
        path.write_bytes(made)
    assert made == path.read_bytes(), f"{path.name} differs: look, then run make golden"


@pytest.mark.parametrize("name", SAMPLES)
def test_json_documents_follow_the_published_schema(name: str) -> None:
    assert complaints(json.loads(rendered_one(SAMPLES[name]).json), SCHEMA) == []


def test_the_schema_refuses_a_number_for_money_and_a_missing_field() -> None:
    document = json.loads(rendered_one(invoice()).json)
    document["total"] = 0.95
    del document["lines"][0]["settled_amount"]
    assert complaints(document, SCHEMA) == [
        "$.lines[0]: no settled_amount",
        "$.total: 0.95 is no string",
    ]


def test_money_in_json_and_csv_is_a_decimal_string_never_a_number() -> None:
    text = rendered_one(invoice()).json.decode()
    assert not re.search(r":\s*-?\d+\.\d", text)
    (row,) = list(csv.DictReader(io.StringIO(rendered_one(invoice()).csv.decode())))[:1]
    assert (row["amount"], row["unit_price"], row["invoice_total"]) == ("0.80", "0.008", "0.95")


def test_the_html_page_has_what_a_finance_department_looks_for() -> None:
    page = html_document.render(invoice()).decode()
    for wanted in (
        "Example CDN Ltd",
        "Tax ID EX-123",
        "Acme Video GmbH",
        "Hauptstraße 1",
        "Tax ID DE123456789",
        "INV-USD-2026-000042",
        "1 November 2026",
        "15 November 2026",
        "1 October 2026 – 31 October 2026",
        "HTTPS requests",
        "1,000,000",
        "per 10,000 requests",
        "Data transfer",
        "500.000 GB",
        "Tax 19 %",
        "0.95 USD",
    ):
        assert wanted in page, wanted


def test_a_currency_without_decimals_is_printed_without(tmp_path: Path) -> None:
    lines = (line(amount=123 * UNIT, settled_amount=123 * UNIT, tax=12 * UNIT),)
    yen = invoice(
        currency="JPY", digits=0, lines=lines, subtotal=123 * UNIT, tax=12 * UNIT, total=135 * UNIT
    )
    assert json.loads(rendered_one(yen).json)["total"] == "135"
    assert "135 JPY" in html_document.render(yen).decode()


def test_a_figure_that_is_not_settled_is_an_error_not_a_rounding() -> None:
    one = invoice(total=95 * CENT + 1)
    with pytest.raises(duckdb.InvalidInputException, match="is not settled to 2 decimals"):
        rendered_one(one)
    with pytest.raises(ValueError, match="is not settled to 2 decimals"):
        html_document.render(one)


@given(st.lists(st.tuples(NASTY, NASTY), min_size=1, max_size=12))
@settings(max_examples=8)
def test_d17_text_from_outside_cannot_become_a_formula_or_break_the_csv(
    names: list[tuple[str, str]],
) -> None:
    made = []
    for number, (domain, customer) in enumerate(names):
        row = DetailRow(
            day=invoice().due_on,
            domain=domain,
            traffic_class="https",
            region="CN",
            requests=1,
            bytes_sent=1,
        )
        party = Party(name=customer)
        made.append(invoice(invoice_no=f"INV-{number}", detail=(row,), customer=party))
    with stored(*made) as connection:
        reading.choose_month(connection, made[0].month, None)
        month = list(rendered(connection))
    assert len(month) == len(names)
    for data in (data for one in month for data in (one.detail_csv or b"", one.csv)):
        table = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
        assert len({len(cells) for cells in table}) == 1
        for cells in table[1:]:
            for cell in cells:
                number = re.fullmatch(r"-?\d+(\.\d+)?", cell)
                assert number or not cell.startswith(FORMULA_STARTS)
                assert "\0" not in cell


@given(NASTY)
@settings(max_examples=30)
def test_d17_text_from_outside_cannot_become_markup(name: str) -> None:
    hostile = f"<script>{name}</script>"
    page = html_document.render(invoice(customer=Party(name=hostile))).decode()
    assert "<script>" not in page


def test_d17_text_from_outside_cannot_become_typst_code() -> None:
    hostile = '#read("/etc/passwd") $x$ *b* `r` @ref <l> \\ #panic("x")'
    made = pdf_document.render(invoice(customer=Party(name=hostile), reason=hostile))
    assert made.startswith(b"%PDF-")


def test_documents_are_the_same_bytes_in_another_process_with_other_locale_and_zone() -> None:
    program = (
        "import hashlib;"
        "from tests.billing.invoices.samples import credit_note, invoice;"
        "from tests.billing.invoices.stored import rendered_one;"
        "from billing.invoices.documents import html_document, pdf_document;"
        "made = rendered_one(invoice());"
        "pages = [html_document.render(invoice()), pdf_document.render(invoice())];"
        "found = [made.json, made.csv, made.detail_csv, *pages];"
        "print([hashlib.sha256(one).hexdigest() for one in found])"
    )
    seen = set()
    for zone, locale, seed in (("UTC", "C", "0"), ("Asia/Kathmandu", "C.UTF-8", "7")):
        environment = os.environ | {"TZ": zone, "LC_ALL": locale, "PYTHONHASHSEED": seed}
        seen.add(
            subprocess.run(
                [sys.executable, "-c", program],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                check=True,
                timeout=PATIENCE_S,
            ).stdout
        )
    assert len(seen) == 1


def test_files_are_written_once_and_left_alone_when_they_are_right(tmp_path: Path) -> None:
    formats = ("json", "csv", "html")
    with stored(invoice()) as connection:
        first = writing.write_month(tmp_path, connection, "2026-10", formats)
        assert (first.new, first.restored, first.same) == (4, 0, 0)
        stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "invoices").rglob("*.*")}
        second = writing.write_month(tmp_path, connection, "2026-10", formats)
        sums = tmp_path / "invoices" / "2026-10" / "SHA256SUMS"
        assert stamps.keys() | {sums} == set((tmp_path / "invoices" / "2026-10").iterdir())
    assert (second.new, second.restored, second.same) == (0, 0, 4)
    assert stamps == {path: path.stat().st_mtime_ns for path in stamps}


def test_an_account_id_cannot_leave_the_folder_of_drafts() -> None:
    assert files.safe_name("../../evil") == "_._.._evil"
    assert files.safe_name(".hidden/../x") == "_hidden_.._x"


def test_an_edited_or_torn_document_is_put_back_as_it_was_issued(tmp_path: Path) -> None:
    with stored(invoice()) as connection:
        writing.write_month(tmp_path, connection, "2026-10", ("json", "csv"))
        path = tmp_path / "invoices" / "2026-10" / f"{invoice().invoice_no}.json"
        issued = path.read_bytes()
        for damaged in (issued.replace(b"0.95", b"9.95"), issued[:100], b"", b"\0" * 40):
            path.write_bytes(damaged)
            done = writing.write_month(tmp_path, connection, "2026-10", ("json", "csv"))
            assert (done.restored, path.read_bytes()) == (1, issued)


def test_g2_a_document_of_other_content_under_the_same_number_is_never_replaced(
    tmp_path: Path,
) -> None:
    formats = ("json", "csv", "html")
    with stored(invoice()) as connection:
        writing.write_month(tmp_path, connection, "2026-10", formats)
    folder = tmp_path / "invoices" / "2026-10"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    other = invoice(content_sha256="ef" * 32, account_id="beta")
    with stored(other) as connection, pytest.raises(ConflictError, match="of other content"):
        writing.write_month(tmp_path, connection, "2026-10", formats)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_writers_of_the_same_document_at_once_all_end_right(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    bodies = [rendered_one(invoice()).json] * 8
    for _ in range(20):
        path.unlink(missing_ok=True)
        with ThreadPoolExecutor(8) as pool:
            counts = list(pool.map(lambda body: _put(path, body), bodies))
        assert sum(one.new for one in counts) == 1
        assert sum(one.same for one in counts) == 7
        assert [left.name for left in tmp_path.iterdir()] == ["one.json"]


def _put(path: Path, body: bytes) -> files.FilesWritten:
    written = files.FilesWritten()
    files.put(str(path), body, written)
    return written


def test_the_json_of_a_credit_note_does_not_hide_a_missing_invoice(tmp_path: Path) -> None:
    with stored(invoice(), credit_note()) as connection:
        assert writing.missing(tmp_path, connection) == ["2026-10"]
        writing.write_month(tmp_path, connection, "2026-10", ("json",))
        assert writing.missing(tmp_path, connection) == []
        (tmp_path / "invoices" / "2026-10" / f"{invoice().invoice_no}.json").unlink()
        assert writing.missing(tmp_path, connection) == ["2026-10"]
        writing.write_month(tmp_path, connection, "2026-10", ("json",))
        (tmp_path / "invoices" / "2026-10" / "SHA256SUMS").unlink()
        assert writing.missing(tmp_path, connection) == ["2026-10"], "nobody noted what was issued"


@pytest.mark.needs_poppler
def test_the_pdf_says_the_same_as_the_page(tmp_path: Path) -> None:
    path = tmp_path / "invoice.pdf"
    path.write_bytes(pdf_document.render(invoice(lines=(line(), transfer_line(tier="")))))
    text = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    ).stdout.decode()
    for wanted in ("INV-USD-2026-000042", "Acme Video GmbH", "HTTPS requests", "500.000 GB",
                   "0.95 USD", "Page 1 of 1"):  # fmt: skip
        assert wanted in text, wanted


@pytest.mark.needs_poppler
def test_a_long_invoice_runs_over_pages_with_its_heading_on_each(tmp_path: Path) -> None:
    lines = tuple(replace(line(), line_no=number) for number in range(1, 80))
    path = tmp_path / "invoice.pdf"
    path.write_bytes(pdf_document.render(invoice(lines=lines)))
    text = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"],
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    ).stdout.decode()
    pages = text.split("\f")[:-1]
    assert len(pages) > 1
    assert all("Quantity" in one for one in pages[:-1])
    assert f"Page {len(pages)} of {len(pages)}" in pages[-1]


@pytest.mark.parametrize(
    ("seller", "customer", "rate", "said"),
    [("IE1234567X", "DE123456789", 0, True), ("US-12", "EL123456789", 0, True),
     ("DE1", "DE123456789", 0, False), ("IE1", "DE123456789", 1900, False),
     ("IE1", "", 0, False), ("", "DE123456789", 0, False), ("IE1", "CH-1", 0, False)],
)  # fmt: skip
def test_an_untaxed_invoice_to_a_business_elsewhere_in_the_eu_says_reverse_charge(
    seller: str, customer: str, rate: int, said: bool
) -> None:
    one = invoice()
    one = replace(
        one,
        tax_rate_bp=Decimal(rate),
        lines=tuple(replace(one_line, tax_rate_bp=Decimal(rate)) for one_line in one.lines),
        seller=replace(one.seller, tax_id=seller),
        customer=replace(one.customer, tax_id=customer),
    )
    assert (b"Reverse charge" in html_document.render(one)) is said


@pytest.mark.parametrize(
    ("item", "quantity", "unit", "words"),
    [
        ("data_transfer", 3 * 1024**3, "GB", "3.000 GB"),
        ("data_transfer", 3 * 1000**3, "GB1000", "3.000 GB"),
        ("data_transfer", 0, "GB", "0.000 GB"),
        ("data_transfer", -1234, "GB", "-1,234 bytes"),
        ("data_transfer", 1, "GB", "1 byte"),
        ("peak_bandwidth", 75_000_000, "Mbps", "2.000 Mbps"),
        ("percentile95_bandwidth", 37_499, "Mbps", "37,499 bytes in 5 minutes"),
    ],
)
def test_a_quantity_is_told_in_its_prices_unit_and_never_as_nothing(
    item: str, quantity: int, unit: str, words: str
) -> None:
    assert amount_text(item, quantity, unit) == words


def test_daily_peaks_say_that_they_are_a_sum_and_priced_by_the_day() -> None:
    peaks = line(item="peak_bandwidth", unit="Mbps", unit_quantity=37_500_000)
    shown = page(invoice(lines=(peaks,))).lines[0]
    assert shown.unit == "per Mbps and day"
    assert shown.notes == ("the sum of the days' peaks; each day is priced by its own",)
    thousands = line(item="data_transfer", unit="10 TB1000", unit_quantity=10 * 1000**4)
    assert page(invoice(lines=(thousands,))).lines[0].unit == "per 10 TB of 1000⁴ bytes"


def test_a_page_in_yen_has_no_decimals_but_those_that_are_there() -> None:
    priced = line(unit_price=UNIT // 2, amount=957 * UNIT, settled_amount=957 * UNIT, tax=0)
    shown = page(
        invoice(currency="JPY", digits=0, lines=(priced,), subtotal=957 * UNIT + UNIT // 4,
                cut=UNIT // 4, tax=0, total=957 * UNIT, tax_rate_bp=Decimal(0))
    )  # fmt: skip
    assert [row.value for row in shown.totals] == ["957.25", "-0.25", "957", "0"]
    assert shown.total == "957 JPY"
    whole = page(invoice(currency="JPY", digits=0, lines=(), subtotal=957 * UNIT, cut=0, tax=0,
                         total=957 * UNIT))  # fmt: skip
    assert whole.totals[0].value == "957"
