"""The appendix of the page: what each domain used in the period, and what all of them did."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import idna

from billing.invoices.figures import exact, gigabytes, grouped
from billing.invoices.records import Invoice
from billing.invoices.wording.writing import Writing

# The page names so many domains; the JSON and CSV documents name all of them, day by day.
DOMAINS_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDomain:
    """What one domain used in the period, or several together; `style` tells the sum apart."""

    style: str = ""

    domain: str
    https: str
    http: str
    quic: str
    transfer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCost:
    """What domains with one value of a tag cost, in 10^-10 units; blank: those without it."""

    value: str
    net: int
    tax: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCost:
    """The same as printed; `style` tells the sum apart."""

    value: str
    net: str
    total: str
    style: str = ""


Sums = Mapping[str, Mapping[str, int]]
CLASSES = ("https", "http", "quic")


def sums_of(invoice: Invoice) -> Sums:
    """Requests by class and bytes of each domain, most requests first."""
    found: dict[str, dict[str, int]] = {}
    for row in invoice.detail:
        of_domain = found.setdefault(row.domain, {"https": 0, "http": 0, "quic": 0, "bytes": 0})
        of_domain[row.traffic_class] += row.requests
        of_domain["bytes"] += row.bytes_sent
    ranked = sorted(found, key=lambda name: (-sum(found[name][one] for one in CLASSES), name))
    return {name: found[name] for name in ranked}


def domain_rows(
    sums: Sums, size: int, printable: Callable[[str], bool], writing: Writing
) -> tuple[PageDomain, ...]:
    """Usage by domain over the period for the appendix of the page, with what all have together."""
    names = list(sums)

    def row(label: str, parts: Sequence[Mapping[str, int]], style: str = "") -> PageDomain:
        return _domain_row(label, parts, size, style, writing)

    rows = [row(_shown(name, printable), [sums[name]]) for name in names[:DOMAINS_SHOWN]]
    if rest := names[DOMAINS_SHOWN:]:
        many = writing.said("more_domains", count=writing.number(f"{len(rest):,}"))
        what = writing.said("more_domain") if len(rest) == 1 else many
        rows.append(row(what, [sums[name] for name in rest], "rest"))
    if len(names) > 1:
        every = [sums[name] for name in names]
        count = writing.number(f"{len(names):,}")
        rows.append(row(writing.said("all_domains", count=count), every, "sum"))
    return tuple(rows)


def _domain_row(
    label: str, parts: Sequence[Mapping[str, int]], size: int, style: str, writing: Writing
) -> PageDomain:
    https, http, quic = (writing.number(f"{sum(part[one] for part in parts):,}") for one in CLASSES)
    return PageDomain(
        domain=label,
        https=https,
        http=http,
        quic=quic,
        transfer=writing.measure(gigabytes(sum(part["bytes"] for part in parts), size)),
        style=style,
    )


def _shown(domain: str, printable: Callable[[str], bool]) -> str:
    """The domain in the script that people read, if it is an internationalised one."""
    if "xn--" not in domain:
        return domain
    try:
        name = idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain
    return name if printable(name) else domain


def costs_of(invoice: Invoice) -> tuple[TagCost, ...]:
    """What the document costs by the tag its account asked for, as it was issued."""
    text = invoice.customer.details.get("costs", "")
    rows = json.loads(text) if text and invoice.kind == "invoice" else ()
    return tuple(
        TagCost(value=row["value"], net=int(row["net"]), tax=int(row["tax"])) for row in rows
    )


def cost_rows(invoice: Invoice, writing: Writing) -> tuple[PageCost, ...]:
    """The costs by tag, exact, with what all have together: the document's net and total."""
    found = costs_of(invoice)
    without = writing.said("without_tag", tag=invoice.customer.details.get("cost_tag", ""))

    def row(label: str, net: int, total: int, style: str = "") -> PageCost:
        net_text, total_text = (
            writing.number(grouped(exact(one, invoice.currency))) for one in (net, total)
        )
        return PageCost(value=label, net=net_text, total=total_text, style=style)

    rows = [row(one.value or without, one.net, one.net + one.tax) for one in found]
    if not rows:
        return ()
    net, tax = sum(one.net for one in found), sum(one.tax for one in found)
    return (*rows, row(writing.said("total"), net, net + tax, "sum"))


def costs_csv(invoice: Invoice) -> bytes:
    """The costs by tag as RFC 4180, safe to open in a spreadsheet."""
    tag = invoice.customer.details.get("cost_tag", "")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("invoice_no", "account_id", "tag", "value", "net", "tax", "total", "currency"))
    for one in costs_of(invoice):
        figures = (exact(part, invoice.currency) for part in (one.net, one.tax, one.net + one.tax))
        names = (_safe(text) for text in (tag, one.value))
        writer.writerow(
            (invoice.invoice_no, invoice.account_id, *names, *figures, invoice.currency)
        )
    return out.getvalue().encode("utf-8")


def _safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula (FAULTS D17)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


def domain_notes(invoice: Invoice, sums: Sums, writing: Writing) -> tuple[str, ...]:
    """Why something is counted here and has no line above."""
    items = {line.item for line in invoice.lines}
    names = {"quic": "QUIC", "http": "HTTP"}
    unpriced = [
        names[one]
        for one in names
        if f"{one}_requests" not in items and any(part[one] for part in sums.values())
    ]
    if not unpriced:
        return ()
    which = unpriced[0]
    if len(unpriced) > 1:
        which = writing.said("and", first=which, second=unpriced[1])
    return (writing.said("unpriced_note", which=which),)
