"""The appendix of the page: what each domain used in the period, and what all of them did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import idna

from billing.invoices.figures import gigabytes
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
