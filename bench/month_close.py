"""A month's close from end to end, by the commands a person types, with a real SMTP server.

    python bench/month_close.py [--accounts 1000] [--rules] [--keep FOLDER]

Makes a home with accounts of three sellers in five currencies, eleven kinds of customer and seven
languages, their access log of October, and closes it: import, metering, rating, checklist,
approval, issue, send. Issuing and sending are killed at each of their steps and begun again, and
issued once more in a copy of the home where two do it at once: the same bytes. Then it compares to
the unit: sums of documents, e-invoices, ledger, statements and views; each mail came once by its
id, with its files; taken again every step changes nothing. `--rules`: each e-invoice is held
against the official schema and rules (Maven fetches them, pdfdetach of poppler takes out those
that are inside of a PDF).
"""

from __future__ import annotations

import argparse
import asyncio
import email
import email.policy
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from lxml import etree

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.month_customers import KINDS, MAIL, SELLERS, make_home, run  # noqa: E402

CRASHES = (
    ("issue", ("invoice-prepared", "invoice_run-effects-written", "journal-before-append",
               "journal-after-append", "invoice_run-committed", "invoice-issued",
               "invoice-settled", "invoice-rendered")),
    ("send", ("document_events-committed", "delivery-sent", "delivery-sent")),
)  # fmt: skip
"""Where issuing and sending are killed, one after the other, before they may end."""


class Letters:
    """What the mail server took."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep one letter."""
        self.found.append(envelope)
        return "250 OK"


@contextmanager
def server(letters: Letters) -> Any:
    """A real SMTP server on a free port while the block runs."""
    loop = asyncio.new_event_loop()
    controller = Controller(letters, hostname="127.0.0.1", port=0, loop=loop)
    controller.port = free_port()
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def free_port() -> int:
    """A port of this machine that nobody has."""
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def close_month(home: Path, folder: Path, port: int) -> list[tuple[str, float]]:
    """The commands, each with the seconds it took."""
    (home / "edgetoll.toml").open("a", encoding="utf-8").write(MAIL.replace("PORT", str(port)))
    opened, at = "2026-10-01T00:00:00Z", "2026-11-02T09:00:00Z"
    log, rows = str(folder / "access.log"), str(folder / "accounts.toml")
    close = ("billing", "close", "--month", "2026-10", "--as-of", at)
    steps = (
        ("load", ("billing", "load", rows, "--as-of", opened, "--really")),
        ("import", ("edge", "import", log, "--format", "nginx", "--edge", "e1", "--region", "DE",
                    "--through", "2026-11-01T02:00:00Z")),
        ("count", ("metering", "run", "--drain")),
        ("rate", ("billing", "rate", "--as-of", at)),
        ("check", ("check",)),
        ("checklist", close),
        ("approve", (*close, "--approve", "Ada", "--reason", "looked at it")),
        ("issue", (*close, "--issue", "--by", "Ada")),
        ("send", (*close, "--send", "--by", "Ada")),
        ("issue again", (*close, "--issue", "--by", "Ada")),
        ("send again", (*close, "--send", "--by", "Ada")),
    )  # fmt: skip
    taken = []
    for name, words in steps:
        if name == "issue":
            shutil.copytree(home, folder / "twice")
        for point in dict(CRASHES).get(name, ()):
            begin = time.perf_counter()
            run(home, *words, ok=(137, -9, 0, 1), crash=point)
            taken.append((f"{name}, killed at {point}", time.perf_counter() - begin))
        begin = time.perf_counter()
        run(home, *words, ok=(0, 1) if name in ("checklist", "check") else (0,))
        taken.append((name, time.perf_counter() - begin))
    return taken


def issue_twice_at_once(home: Path) -> None:
    """Two processes issue the same month of a copy at the same time: one waits, or says why not."""
    words = ("billing", "close", "--month", "2026-10", "--as-of", "2026-11-02T09:00:00Z")
    command = [sys.executable, str(ROOT / "edgetoll.py"), *words, "--issue", "--by", "Ada"]
    env = os.environ | {"EDGETOLL_HOME": str(home)}
    both = [
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for one in both:
        one.communicate()
    run(home, *words, "--issue", "--by", "Ada")


def sums_of(home: Path) -> str:
    """The hash of each document of the month, as they are listed beside them."""
    return (home / "invoices" / "2026-10" / "SHA256SUMS").read_text(encoding="utf-8")


def compare(home: Path, letters: Letters, accounts: int, *, rules: bool) -> list[str]:
    """What was found, line by line; SystemExit names the first thing that is not equal."""
    folder = home / "invoices" / "2026-10"
    documents = {path.stem: json.loads(path.read_bytes()) for path in folder.glob("*.json")}
    same("documents", len(documents), accounts)
    question = "SELECT currency, sum(total)::VARCHAR AS total FROM invoices GROUP BY currency"
    asked = json.loads(run(home, "sql", question, "--json"))
    view = {row["currency"]: Decimal(row["total"]) for row in rows_of(asked)}
    printed: Counter[str] = Counter()
    for one in documents.values():
        printed[one["currency"]] += Decimal(one["total"])  # type: ignore[assignment]
    for code, total in view.items():
        same(f"sum of documents in {code}", Decimal(printed[code]), total)
    ledger = json.loads(run(home, "billing", "ledger", "--json"))
    of_tax = {one["currency"]: Decimal(one["balance"]) for one in ledger["accounts"]
              if one["ledger_account"].startswith("tax:")}  # fmt: skip
    for code, owed in of_tax.items():
        taxes = sum(Decimal(one["tax"]) for one in documents.values() if one["currency"] == code)
        same(f"tax in {code}", taxes, owed)
    same("statements' closing balances", statements(home), balances(home))
    wanted = [KINDS[n % len(KINDS)][2] for n in range(accounts) if n % len(SELLERS) != 2]
    hybrids = [path for path in folder.glob("*.pdf") if b"factur-x.xml" in path.read_bytes()]
    same("e-invoices inside their PDF", len(hybrids), wanted.count("factur-x"))
    e_invoices = sorted(folder.glob("*.xml"))
    same("e-invoices", len(e_invoices), sum(1 for one in wanted if one not in ("", "factur-x")))
    for seller, prefix in zip(SELLERS, ("INV", "DEU", "SGP"), strict=True):
        numbers = sorted(name for name in documents if name.startswith(f"{prefix}-"))
        by_series = Counter(name.rpartition("-")[0] for name in numbers)
        last = {series: int(name.rpartition("-")[2])
                for name in numbers for series in [name.rpartition("-")[0]]}  # fmt: skip
        same(f"numbers of seller {seller or 'one'} without a gap", last, dict(by_series))
    for path in e_invoices:
        same(f"payable of {path.stem}", payable(path), Decimal(documents[path.stem]["amount_due"]))
    broken = verified([*e_invoices, *hybrids]) if rules else 0
    mails = by_id(letters)
    same("ids of mails", len(mails), accounts)
    files = Counter(str(part.get_filename()).rpartition(".")[2]
                    for one in mails.values() for part in one.iter_attachments())  # fmt: skip
    same("attached", files, Counter(pdf=accounts, xml=len(e_invoices)))
    subjects = Counter(str(one["Subject"]).split()[0] for one in mails.values())
    languages = Counter(one["customer"].get("details", {}).get("language", "en")
                        for one in documents.values())  # fmt: skip
    taxes = Counter((row["tax_rate_percent"], one["customer"]["details"].get("tax_category", "S"))
                    for one in documents.values() for row in one["taxes"])  # fmt: skip
    return [
        f"{accounts} documents, mails, statements and ledger agree to the unit: "
        + ", ".join(f"{total.normalize():f} {code}" for code, total in sorted(view.items())),
        f"{len(e_invoices)} e-invoices and {len(hybrids)} Factur-X,"
        f" rules broken: {broken if rules else 'not asked'}",
        f"languages: {dict(languages)}",
        f"taxes: {dict(sorted(taxes.items()))}",
        f"subjects: {dict(subjects)}",
    ]


def statements(home: Path) -> dict[str, Decimal]:
    """What all accounts' statements of November close at, by currency."""
    asked = ("--param", "month=2026-11", "--param", "account=all")
    words = ("query", "statement_of_account", *asked, "--json")
    found: Counter[str] = Counter()
    for row in rows_of(json.loads(run(home, *words))):
        if row["what"] == "closing balance":
            found[row["currency"]] += Decimal(str(row["balance"]))  # type: ignore[assignment]
    return {code: Decimal(total) for code, total in found.items()}


def balances(home: Path) -> dict[str, Decimal]:
    """What the ledger says that all customers have, by currency."""
    found: Counter[str] = Counter()
    for one in json.loads(run(home, "billing", "ledger", "--json"))["accounts"]:
        if one["ledger_account"].startswith("customer:"):
            found[one["currency"]] += Decimal(one["balance"])  # type: ignore[assignment]
    return {code: Decimal(total) for code, total in found.items()}


def by_id(letters: Letters) -> dict[str, Any]:
    """Each mail once by its id. Who was killed between mail and record has sent it again: the same
    text and files under the same id, which a mail server or reader drops.
    """
    found: dict[str, bytes] = {}
    for one in letters.found:
        mail = email.message_from_bytes(one.content, policy=email.policy.default)
        before = found.setdefault(str(mail["Message-ID"]), one.content)
        same(f"text of {mail['Message-ID']}, sent again", texts_of(one.content), texts_of(before))
    return {
        name: email.message_from_bytes(content, policy=email.policy.default)
        for name, content in found.items()
    }


def texts_of(content: bytes) -> list[object]:
    """What a mail says and carries, without the marks between its parts, which are random."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    heads = [mail["Subject"], mail["To"], mail["Date"]]
    parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    return [*map(str, heads), *parts]


def rows_of(answer: Any) -> list[dict[str, Any]]:
    """The rows of a --json answer of `sql`."""
    rows = answer["rows"] if isinstance(answer, dict) else answer
    return list(rows)


def payable(path: Path) -> Decimal:
    """What the e-invoice asks to be paid."""
    root = etree.fromstring(path.read_bytes())
    (found,) = (one.text for one in root.iter("{*}PayableAmount", "{*}DuePayableAmount"))
    return Decimal(str(found))


def verified(paths: list[Path]) -> int:
    """How many rules the e-invoices break, each held against those of its profile; one that is
    inside of a PDF too.
    """
    from tests.billing.invoices.einvoice.rules import broken_rules, schema_errors

    broken = 0
    for path in paths:
        content = inside_of(path) if path.suffix == ".pdf" else path.read_bytes()
        root = etree.fromstring(content)
        cii = etree.QName(root).localname == "CrossIndustryInvoice"
        profile = "cii" if cii else "ubl"
        if b"xrechnung_3.0" in content:
            profile = "xrechnung-cii" if cii else "xrechnung"
        elif b"poacc:billing:3.0" in content:
            profile = "peppol"
        found = [*schema_errors(content), *broken_rules(profile, content)]
        for one in found[:3]:
            print(f"{path.name} ({profile}): {one}", file=sys.stderr)
        broken += len(found)
    return broken


def inside_of(path: Path) -> bytes:
    """The e-invoice inside of a PDF, taken out by poppler."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "inside.xml"
        subprocess.run(["pdfdetach", "-save", "1", "-o", out, path], check=True)
        return out.read_bytes()


def same(what: str, found: object, wanted: object) -> None:
    """SystemExit unless they are equal."""
    if found != wanted:
        raise SystemExit(f"{what}: {found} is not {wanted}")


def main() -> None:
    """Make, close, compare, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=1000)
    options.add_argument("--rules", action="store_true")
    options.add_argument("--keep", type=Path)
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        home = make_home(folder, given.accounts)
        letters = Letters()
        with server(letters) as port:
            taken = close_month(home, folder, port)
            issue_twice_at_once(folder / "twice")
            same("bytes after being killed and by two at once", sums_of(home),
                 sums_of(folder / "twice"))  # fmt: skip
            found = compare(home, letters, given.accounts, rules=given.rules)
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        for name, seconds in taken:
            print(f"  {name:46} {seconds:7.1f} s")
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"  {'CPU of all':46} {usage.ru_utime + usage.ru_stime:7.1f} s")
        for text in found:
            print(text)
        if given.keep:
            shutil.copytree(home, given.keep)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
