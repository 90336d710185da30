"""The home that `bench/month_close.py` closes: three sellers, five currencies, eleven kinds of
customer in seven languages, taxes by the example's table, and the access log of October.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = """
[invoices]
formats = ["json", "html", "pdf"]
language = "country"
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
epc_qr = true
[invoices.sellers.gmbh]
prefix = "DEU"
credit_note_prefix = "DEG"
name = "Bench CDN GmbH"
address = ["Probenweg 3", "20457 Hamburg"]
tax_id = "DE811907980"
country = "DE"
postcode = "20457"
city = "Hamburg"
contact = "Ada Rechnung"
phone = "+49 40 1234567"
email = "rechnung@bench.example"
endpoint = "9930:DE811907980"
iban = "DE02 1203 0000 0000 2020 51"
bic = "BYLADEM1001"
color = "#1b6e3c"
logo = "logo.svg"
footer = "Bench CDN GmbH · Amtsgericht Hamburg, HRB 12345"
epc_qr = true
payment_days = 30
timezone = "Europe/Berlin"
[invoices.sellers.asia]
prefix = "SGP"
credit_note_prefix = "SGC"
name = "Bench CDN Pte. Ltd."
address = ["1 Harbour Road", "Singapore"]
tax_id = "M90312345A"
country = "SG"
email = "accounts@bench.example"
color = "#a33a1d"
timezone = "Asia/Singapore"
"""
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" width="40" height="40">'
    '<rect width="40" height="40" rx="8" fill="#1b6e3c"/></svg>'
)
TAXES_OF_ASIA = """
[[tax]]
id = "sg-export"
seller = ["SG"]
customer = ["*"]
effective_from = 2024-01-01
rate_percent = "0"
category = "O"
code = "VATEX-EU-O"
sentence = "Zero-rated: services supplied to a person outside Singapore (GST Act, section 21(3))."
"""
SELLERS = ("", "gmbh", "asia")
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
# Country, tax id, form of the e-invoice: what sellers meet. The table of taxes says the rest.
KINDS = (
    ("DE", "DE136695976", "xrechnung"),
    ("DE", "DE136695976", "xrechnung-cii"),
    ("FR", "", "peppol"),
    ("ES", "", "cii"),
    ("IE", "IE7654321G", "ubl"),
    ("US", "", "ubl"),
    ("CN", "", ""),
    ("JP", "", ""),
    ("AE", "", ""),
    ("GB", "", "factur-x"),
    ("NL", "", "peppol"),
)


def run(home: Path, *words: str, ok: tuple[int, ...] = (0,), crash: str = "") -> str:
    """`edgetoll …` as a process of its own; its output. `crash`: where it is killed."""
    killed = {"EDGETOLL_CRASH": crash} if crash else {}
    done = subprocess.run(
        [sys.executable, str(ROOT / "edgetoll.py"), *words],
        env=os.environ | {"EDGETOLL_HOME": str(home)} | killed,
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
    (home / "logo.svg").write_text(LOGO, encoding="utf-8")
    table = (home / "tax.example.toml").read_text(encoding="utf-8")
    (home / "tax.toml").write_text(table + TAXES_OF_ASIA, encoding="utf-8")
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
    country, tax_id, form = KINDS[number % len(KINDS)]
    seller = SELLERS[number % len(SELLERS)]
    code = CURRENCIES[number // len(KINDS) % len(CURRENCIES)]
    keys = {
        "id": f"a{number}", "name": f"Customer {number}", "currency": code,
        "price_book": code.lower(), "credit_limit": "1000000.00", "seller": seller,
        "tax_id": tax_id, "country": country,
        "email": f"pay@a{number}.example", "address": f"{number} Main Street",
        "postcode": "10115", "city": "Town", "buyer_reference": f"REF-{number}",
        "endpoint": "9930:DE136695976", "e_invoice": "" if seller == "asia" else form,
        "payment_terms": ("", "30 days", "end of month + 15 days")[number % 3],
    }  # fmt: skip
    said = "".join(f'{name} = "{text}"\n' for name, text in keys.items() if text)
    domain = f'domain = "www.a{number}.example"\naccount = "a{number}"\n'
    return f"[[accounts]]\n{said}\n[[domains]]\n{domain}"
