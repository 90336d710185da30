"""A month's close from end to end, by the commands a person types, with a real SMTP server.

    python bench/month_close.py [--accounts 1000] [--rules]

Makes a home with accounts in five currencies, nine countries and six languages, their access log
of October, and closes it: import, metering, rating, checklist, approval, issue, send. Prints what
each step took. Then it compares to the unit: sums of documents, e-invoices, ledger and views; each
mail came once, with its files; taken again every step changes nothing. `--rules`: each e-invoice
is held against the official schema and rules (Maven fetches them).
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
EXPECTED = """
[invoices]
formats = ["json", "html", "pdf"]
[invoices.close]
requires = ["address", "email", "country"]
[invoices.seller]
name = "Bench CDN Ltd"
address = ["12 Rehearsal Road", "Dublin 2"]
tax_id = "IE1234567FA"
country = "IE"
postcode = "D02 XY01"
city = "Dublin"
contact = "Ann Bill"
phone = "+353 1 2345678"
email = "billing@bench.example"
endpoint = "9935:IE1234567FA"
iban = "IE29 AIBK 9311 5212 3456 78"
bic = "AIBKIE2D"
payment_link = "https://pay.bench.example/{invoice}"
"""
MAIL = """
[billing.delivery.mail]
host = "127.0.0.1"
port = PORT
security = "none"
sender = "billing@bench.example"
"""
BOOK = """
[book]
id = "NAME"
title = "A book of the bench"
currency = "CODE"
timezone = "UTC"
source = "bench"
[regions]
EU = ["DE"]
[[card]]
id = "NAME-https"
item = "https_requests"
region = "all"
effective_from = 2020-01-01
model = "per_unit"
unit = "request"
per = 10000
price = "0.05"
[[card]]
id = "NAME-data"
item = "data_transfer"
region = "EU"
effective_from = 2020-01-01
model = "graduated"
unit = "GB"
per = 1
tiers = [{ up_to = "50 GB", price = "0.07" }, { price = "0.0512345" }]
"""
CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CNY")
# Country, tax percent, tax id, form of the e-invoice: what a seller in Ireland meets.
KINDS = (
    ("DE", "0", "DE123456789", "xrechnung"),
    ("DE", "0", "DE123456789", "xrechnung-cii"),
    ("FR", "20", "", "peppol"),
    ("ES", "21", "", "cii"),
    ("IE", "23", "IE7654321A", "ubl"),
    ("US", "0", "", "ubl"),
    ("CN", "0", "", ""),
    ("JP", "10", "", ""),
    ("GB", "0", "", "cii"),
    ("NL", "21", "", "peppol"),
)


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


def run(home: Path, *words: str, ok: tuple[int, ...] = (0,)) -> str:
    """`edgetoll …` as a process of its own; its output."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "edgetoll.py"), *words],
        env=os.environ | {"EDGETOLL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in ok:
        raise SystemExit(f"{' '.join(words)}: {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def make_home(folder: Path, accounts: int) -> Path:
    """Settings, price books, accounts, and the access log of October."""
    home = folder / "home"
    run(home, "init", str(home))
    for path in (home / "prices").glob("*.toml"):
        path.unlink()
    text = (home / "edgetoll.toml").read_text(encoding="utf-8")
    kept = text.replace("\n[invoices]\n", "\n", 1)
    (home / "edgetoll.toml").write_text(kept + EXPECTED, encoding="utf-8")
    for code in CURRENCIES:
        book = BOOK.replace("NAME", code.lower()).replace("CODE", code)
        (home / "prices" / f"{code.lower()}.toml").write_text(book, encoding="utf-8")
    rows = [account(number) for number in range(accounts)]
    (folder / "accounts.toml").write_text("".join(rows), encoding="utf-8")
    with (folder / "access.log").open("w", encoding="utf-8") as log:
        first = 1_790_812_800  # 2026-10-01T00:00Z
        for hour in range(744):
            for number in range(hour % 37, accounts, 37):
                at = first + hour * 3600 + number % 3600
                size = (1 + (number * 7919 + hour * 104_729) % 4_000) * 2**20
                log.write(json.dumps(line(at, f"www.a{number}.example", size)) + "\n")
    return home


def line(at: int, host: str, size: int) -> dict[str, str]:
    """One request as our nginx log format writes it."""
    return {
        "time": f"{at}.000", "host": host, "scheme": "https", "protocol": "HTTP/2.0",
        "status": "200", "bytes_sent": str(size), "cache": "HIT", "id": f"{at}{host}",
    }  # fmt: skip


def account(number: int) -> str:
    """One account with its domain."""
    country, tax, tax_id, form = KINDS[number % len(KINDS)]
    code = CURRENCIES[number // len(KINDS) % len(CURRENCIES)]
    keys = {
        "id": f"a{number}", "name": f"Customer {number}", "currency": code,
        "price_book": code.lower(), "credit_limit": "1000000.00",
        "tax_rate_percent": tax, "tax_id": tax_id, "country": country,
        "email": f"pay@a{number}.example", "address": f"{number} Main Street",
        "postcode": "10115", "city": "Town", "buyer_reference": f"REF-{number}",
        "endpoint": "9930:DE123456789", "e_invoice": form,
        "payment_terms": ("", "30 days", "end of month + 15 days")[number % 3],
    }  # fmt: skip
    said = "".join(f'{name} = "{text}"\n' for name, text in keys.items() if text)
    domain = f'domain = "www.a{number}.example"\naccount = "a{number}"\n'
    return f"[[accounts]]\n{said}\n[[domains]]\n{domain}"


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
        begin = time.perf_counter()
        run(home, *words, ok=(0, 1) if name in ("checklist", "check") else (0,))
        taken.append((name, time.perf_counter() - begin))
    return taken


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
    e_invoices = sorted(folder.glob("*.xml"))
    same("e-invoices", len(e_invoices), sum(1 for n in range(accounts) if KINDS[n % len(KINDS)][3]))
    for path in e_invoices:
        same(f"payable of {path.stem}", payable(path), Decimal(documents[path.stem]["amount_due"]))
    broken = verified(e_invoices) if rules else 0
    mails = [email.message_from_bytes(one.content, policy=email.policy.default)
             for one in letters.found]  # fmt: skip
    same("mails", len(mails), accounts)
    same("ids of mails", len({one["Message-ID"] for one in mails}), accounts)
    files = Counter(str(part.get_filename()).rpartition(".")[2]
                    for one in mails for part in one.iter_attachments())  # fmt: skip
    same("attached", files, Counter(pdf=accounts, xml=len(e_invoices)))
    subjects = Counter(str(one["Subject"]).split()[0] for one in mails)
    return [
        f"{accounts} documents, mails and ledger agree to the unit: "
        + ", ".join(f"{total.normalize():f} {code}" for code, total in sorted(view.items())),
        f"{len(e_invoices)} e-invoices, rules broken: {broken if rules else 'not asked'}",
        f"subjects: {dict(subjects)}",
    ]


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
    """How many rules the e-invoices break, each held against those of its profile."""
    from tests.billing.invoices.einvoice.rules import broken_rules, schema_errors

    broken = 0
    for path in paths:
        content = path.read_bytes()
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
            found = compare(home, letters, given.accounts, rules=given.rules)
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        for name, seconds in taken:
            print(f"  {name:12} {seconds:8.1f} s")
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"  CPU of all   {usage.ru_utime + usage.ru_stime:8.1f} s")
        for text in found:
            print(text)
        if given.keep:
            shutil.copytree(home, given.keep)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
