"""Where an invoice line comes from: its tiers, hours, domains, certificates and batches."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import duckdb

import sql
from billing.instants import naive_or_none
from billing.money import format_amount
from billing.reports.records import (
    CardTier,
    CertificateTaken,
    CertificateText,
    ChargedPeriod,
    DomainUse,
    EdgeRange,
    ExplainedAgreement,
    ExplainedLine,
    ExplainedRange,
    Explanation,
    LinePart,
    PlacedPeriod,
)
from billing.store.gone import usage_before
from edge.errors import InputError

CLASSES = {
    "https_requests": ["https"],
    "quic_requests": ["quic"],
    "http_requests": ["http"],
}
HOUR = timedelta(hours=1)
ALL_CLASSES = ["http", "https", "quic"]
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Of each price book, which billing region an edge's region label means."""

    regions: Mapping[str, Mapping[str, str]]

    def labels(self, book: str, region: str, scopes: Sequence[str]) -> list[str] | None:
        """The edge labels whose traffic a card of scope `region` prices; None when it is all of
        them.

        Traffic takes the narrowest scope that has a card, so `OverSeas` leaves out what has its
        own.
        """
        if region == "all":
            return None
        known = self.regions.get(book, {})
        if region != "OverSeas":
            return sorted(label for label, of in known.items() if of == region)
        own = set(scopes) - {"all", "OverSeas"}
        return sorted(label for label, of in known.items() if of != "CN" and of not in own)


def explanation(
    connection: duckdb.DuckDBPyConnection,
    invoice_no: str,
    line_no: int,
    *,
    books: Books,
    only: datetime | None = None,
) -> Explanation:
    """All that is behind a line; InputError if there is no such line, or no charge in that hour."""
    line = sql.row(
        connection.execute(
            sql.text("statements/invoices/explain/explain_line"),
            {"invoice_no": invoice_no, "line_no": line_no},
        ),
        ExplainedLine,
    )
    if line is None:
        raise InputError(
            f"there is no line {line_no} on an invoice {invoice_no}", "see the view invoice_lines"
        )
    _collect_charges(connection, invoice_no, line_no, line)
    parts = sql.rows(
        connection.execute(
            sql.text("statements/invoices/explain/explain_siblings"),
            {"invoice_no": invoice_no, "line_no": line_no},
        ),
        LinePart,
    )
    periods = _periods(connection, line, _place(connection, line, line_no, parts))
    moment = naive_or_none(only)
    connection.execute(sql.text("statements/invoices/explain/explain_periods"), {"only": moment})
    chosen = [one for one in periods if moment is None or _touches(one, moment)]
    if only is not None and not chosen:
        raise InputError(
            f"line {line_no} of {invoice_no} has no charge in the hour from {only:%Y-%m-%dT%H:%M}Z",
            "leave --hour out to see its periods",
        )
    certificates = sql.rows(
        connection.execute(sql.text("statements/invoices/explain/explain_certificates")),
        CertificateTaken,
    )
    return Explanation(
        invoice_no=invoice_no,
        line_no=line_no,
        line=line,
        agreement=_agreement(connection, line),
        card=tuple(_card(connection, line)),
        lines=tuple(parts),
        periods=tuple(periods),
        chosen=tuple(chosen),
        domains=tuple(_domains(connection, line, books)),
        certificates=tuple(certificates),
        edges=tuple(_edges(certificates)),
        usage_since=_usage_since(connection, chosen),
    )


def _agreement(
    connection: duckdb.DuckDBPyConnection, line: ExplainedLine
) -> ExplainedAgreement | None:
    """The credit, commitment or plan that the line is of."""
    return sql.row(
        connection.execute(
            sql.text("statements/invoices/explain/explain_agreement"),
            {"rate_card": line.rate_card, "account_id": line.account_id, "month": line.month},
        ),
        ExplainedAgreement,
    )


def _usage_since(
    connection: duckdb.DuckDBPyConnection, periods: Sequence[PlacedPeriod]
) -> datetime | None:
    pruned = usage_before(connection)
    if pruned is None or all(one.charged.period_start >= pruned for one in periods):
        return None
    return pruned


def _collect_charges(
    connection: duckdb.DuckDBPyConnection, invoice_no: str, line_no: int, line: ExplainedLine
) -> None:
    connection.execute(
        sql.text("statements/invoices/explain/explain_charges"),
        {
            "invoice_no": invoice_no,
            "line_no": line_no,
            "account_id": line.account_id,
            "kind": line.kind,
            "month": line.month,
            "item": line.item,
            "region": line.region,
            "rate_card": line.rate_card,
            "journal_no": line.journal_no,
        },
    )


def _place(
    connection: duckdb.DuckDBPyConnection,
    line: ExplainedLine,
    line_no: int,
    parts: Sequence[LinePart],
) -> tuple[int, int, int]:
    """Where in the month's billable quantity the charges begin, and this line begins and ends."""
    ((place,),) = connection.execute(
        sql.text("statements/invoices/explain/explain_place"),
        {
            "account_id": line.account_id,
            "kind": line.kind,
            "item": line.item,
            "region": line.region,
            "rate_card": line.rate_card,
        },
    ).fetchall()
    begin = int(place)
    first = begin + sum(one.billable_quantity for one in parts if one.line_no < line_no)
    return begin, first, first + line.billable_quantity


def _periods(
    connection: duckdb.DuckDBPyConnection, line: ExplainedLine, place: tuple[int, int, int]
) -> list[PlacedPeriod]:
    before, first, last = place
    found = []
    for one in sql.rows(
        connection.execute(sql.text("statements/invoices/explain/explain_hours")), ChargedPeriod
    ):
        until = before + one.month_place
        start = until - one.billable_quantity
        part = min(max(until, first), last) - min(max(start, first), last)
        found.append(
            PlacedPeriod(
                charged=one,
                month_from=start,
                month_to=until,
                in_this_line=part if line.kind == "usage" else one.billable_quantity,
            )
        )
    return found


def _touches(period: PlacedPeriod, moment: datetime) -> bool:
    return period.charged.period_start < moment + HOUR and period.charged.period_end > moment


def _card(connection: duckdb.DuckDBPyConnection, line: ExplainedLine) -> list[CardTier]:
    return sql.rows(
        connection.execute(
            sql.text("statements/invoices/explain/explain_card"), {"rate_card": line.rate_card}
        ),
        CardTier,
    )


def _domains(
    connection: duckdb.DuckDBPyConnection, line: ExplainedLine, books: Books
) -> list[DomainUse]:
    scopes = connection.execute(
        sql.text("statements/invoices/explain/scopes_of_item"),
        {"book": line.price_book, "item": line.item},
    ).fetchall()
    return sql.rows(
        connection.execute(
            sql.text("statements/invoices/explain/explain_domains"),
            {
                "account_id": line.account_id,
                "classes": CLASSES.get(line.item, ALL_CLASSES),
                "labels": books.labels(
                    line.price_book, line.region, [str(scope) for (scope,) in scopes]
                ),
            },
        ),
        DomainUse,
    )


def certificate_text(certificate: CertificateTaken) -> CertificateText:
    """What the certificate says, as metering wrote it."""
    content: CertificateText = json.loads(certificate.certificate)
    return content


def _edges(certificates: Sequence[CertificateTaken]) -> list[EdgeRange]:
    """Of each edge and epoch the range of batches that the certificates name, over all hours."""
    ranges: dict[tuple[str, str, int], list[ExplainedRange]] = {}
    for certificate in certificates:
        for edge in certificate_text(certificate)["edges"]:
            for epoch in edge["epochs"]:
                key = (edge["edge_id"], edge["region"], epoch["epoch"])
                ranges.setdefault(key, []).append(epoch)
    return [
        EdgeRange(
            edge_id=edge_id,
            region=region,
            epoch=epoch,
            first_sequence=min(one["first_sequence"] for one in seen),
            last_sequence=max(one["last_sequence"] for one in seen),
            events=sum(one["events"] for one in seen),
            hours=len(seen),
        )
        for (edge_id, region, epoch), seen in sorted(ranges.items())
    ]


def sums(periods: Sequence[PlacedPeriod]) -> dict[str, int]:
    """What the periods add up to: `amount` is that of all lines they stand on together."""
    return {
        "quantity": sum(one.charged.quantity for one in periods),
        "free_quantity": sum(one.charged.free_quantity for one in periods),
        "plan_quantity": sum(one.charged.plan_quantity for one in periods),
        "billable_quantity": sum(one.charged.billable_quantity for one in periods),
        "in_this_line": sum(one.in_this_line for one in periods),
        "amount": sum(one.charged.amount for one in periods),
    }


def document(found: Explanation) -> dict[str, object]:
    """The explanation for programs; money as decimal strings."""
    currency = found.line.currency
    line = _with_money(asdict(found.line), currency, "unit_price", "amount", "settled_amount")
    totals: dict[str, object] = dict(sums(found.periods))
    return {
        "invoice_no": found.invoice_no,
        "line_no": found.line_no,
        "line": {
            key: value for key, value in line.items() if key not in ("journal_no", "price_book")
        },
        "rate_card": _card_document(found, currency),
        "agreement": _agreement_document(found, currency),
        "lines": [_with_money(asdict(one), currency, "amount") for one in found.lines],
        "sums": _with_money(totals, currency, "amount"),
        "hours": [_period_document(one, currency) for one in found.chosen],
        "domains": [
            {("class" if key == "traffic_class" else key): value for key, value in row.items()}
            for row in map(_row, found.domains)
        ],
        "certificates": [_certificate_document(one) for one in found.certificates],
        "edges": [asdict(one) for one in found.edges],
        "usage_since": found.usage_since,
    }


def _row(one: DomainUse) -> dict[str, object]:
    return asdict(one)


def _with_money(row: dict[str, object], currency: str, *keys: str) -> dict[str, object]:
    money: dict[str, object] = {}
    for key in keys:
        amount = row[key]
        if isinstance(amount, int):
            money[key] = format_amount(amount, currency)
    return row | money


def _period_document(one: PlacedPeriod, currency: str) -> dict[str, object]:
    row = _with_money(asdict(one.charged), currency, "amount")
    row.pop("month_place")
    return row | {
        "month_from": one.month_from,
        "month_to": one.month_to,
        "in_this_line": one.in_this_line,
    }


def _certificate_document(one: CertificateTaken) -> dict[str, object]:
    said = certificate_text(one)
    return {
        "hour": one.hour,
        "partition": one.partition,
        "revision": one.revision,
        "state": one.state,
        "certificate_sha256": one.certificate_sha256,
        "data_sha256": said["data_sha256"],
        "edges": said["edges"],
        "missing_edges": said["missing_edges"],
        "waivers": said["waivers"],
    }


def _agreement_document(found: Explanation, currency: str) -> dict[str, object] | None:
    if found.agreement is None:
        return None
    money: tuple[str, ...] = ("amount", "charged", "was_missing")
    money += () if found.agreement.kind == "plan" else ("used",)
    return _with_money(asdict(found.agreement), currency, *money)


def _card_document(found: Explanation, currency: str) -> dict[str, object]:
    tiers = [
        {
            "tier_no": tier.tier_no,
            "above": tier.lower,
            "up_to": tier.upper,
            "unit_price": format_amount(tier.unit_price, currency),
            "flat_fee": format_amount(tier.flat_fee, currency),
        }
        for tier in found.card
    ]
    document: dict[str, object] = {"rate_card": found.line.rate_card, "tiers": tiers}
    if not found.card:
        return document
    card = found.card[0]
    return document | {
        "model": card.model,
        "unit": card.unit,
        "per": card.per,
        "unit_quantity": card.unit_quantity,
        "effective_from": card.effective_from,
        "effective_until": card.effective_until,
        "flat_fee": format_amount(card.card_fee, currency),
        "minimum": _optional(card.minimum, currency),
        "maximum": _optional(card.maximum, currency),
        "discount_millionths": card.discount_millionths,
        "free_quantity": card.free_quantity,
        "period": card.period,
    }


def _optional(amount: int | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)
