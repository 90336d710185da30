"""How an explanation is printed for people: the line, its tiers, days, domains, edges, one below
the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from billing.invoices.documents.page import unit_text
from billing.money import format_amount
from billing.reports.explain import sums
from billing.reports.records import (
    CardTier,
    CertificateTaken,
    EdgeRange,
    ExplainedAgreement,
    ExplainedLine,
    Explanation,
    PlacedPeriod,
)
from edge.terminal import many, say, table

SHOWN = 24


def show(found: Explanation) -> None:
    """Print what is behind an invoice line."""
    line = found.line
    priced = line.unit_quantity > 0
    table(
        f"{found.invoice_no} line {found.line_no}, account {line.account_id},"
        f" month {line.month}",
        ("item", "region", "quantity", "free", "by plan", "billable", "price", "per", "amount"),
        [
            (
                line.item, line.region, _count(line.quantity), _count(line.free_quantity),
                _count(line.plan_quantity), _count(line.billable_quantity),
                _money(line.unit_price, line) if priced else "", line.unit if priced else "",
                f"{_money(line.amount, line)} {line.currency}",
            )
        ],
        right=("quantity", "free", "by plan", "billable", "price", "amount"),
    )  # fmt: skip
    if line.corrects_invoice:
        until = f" to {line.corrects_until} UTC" if line.corrects_until else ", one hour"
        say(f"It corrects {line.corrects_invoice}, {line.corrects_hour}{until}: {line.reason}")
    elif line.reason:
        say(line.reason)
    if line.tier:
        say(f"It is the part: {line.tier}")
    if found.agreement is not None:
        say(_agreement_words(found.agreement, line))
    if found.card:
        _show_card(found.card, line)
    _show_periods(found)
    _show_domains(found)
    _show_edges(found.edges, found.certificates)


def _money(amount: int, line: ExplainedLine) -> str:
    return format_amount(amount, line.currency)


def _agreement_words(agreed: ExplainedAgreement, line: ExplainedLine) -> str:
    """What was agreed, and what it came to by now."""
    amount, used = _money(agreed.amount, line), _money(agreed.used, line)
    until = f" to {agreed.ends_at} UTC" if agreed.ends_at else ""
    valid = f"from {agreed.starts_at}{until}"
    scope = f"{agreed.items or 'all usage'}, {agreed.regions or 'all regions'}"
    if agreed.kind == "credit":
        return (
            f"It is of {amount} {line.currency} for {scope}, priority {agreed.priority}, {valid};"
            f" {used} of it has paid by now"
        )
    if agreed.kind == "commitment":
        said = (
            f"At least {amount} {line.currency} a month over all items before credit, {valid},"
            f" settled by {agreed.settles}; {used} was missing by now"
        )
        if agreed.settles == "month" and agreed.was_missing > 0:
            share = _money(agreed.charged + agreed.was_missing, line)
            said += (
                f"\n{line.month}: {share} are its share of that month (by 5 minutes), of which"
                f" {_money(agreed.charged, line)} was charged, {_money(agreed.was_missing, line)}"
                " was missing"
            )
        return said
    unit = "bytes" if agreed.items == "data_transfer" else "requests"
    return f"It was sold for {amount} {line.currency}, {valid}; it has paid {agreed.used:,} {unit}"


def _show_card(tiers: Sequence[CardTier], line: ExplainedLine) -> None:
    card = tiers[0]
    rows = [
        (tier.tier_no, _bound(tier.lower, card), _bound(tier.upper, card),
         _money(tier.unit_price, line), _money(tier.flat_fee, line))
        for tier in tiers
    ]  # fmt: skip
    more = [_price_words(card, line.item)]
    more += [
        f"{name} {_money(amount, line)} {line.currency}"
        for name, amount in (
            ("fixed fee", card.card_fee),
            ("minimum", card.minimum),
            ("maximum", card.maximum),
        )
        if amount
    ]
    if card.free_quantity:
        more.append(f"free per month {_bound(card.free_quantity, card)}")
    if card.discount_millionths:
        more.append(f"discount {_percent(card.discount_millionths)} %")
    table(
        f"Rate card {line.rate_card}, {card.model}",
        ("tier", "above", "up to", "unit price", "flat fee"),
        rows,
        right=("tier", "above", "up to", "unit price", "flat fee"),
    )
    say("; ".join(more))


def _show_periods(found: Explanation) -> None:
    total = sums(found.periods)
    rows: list[Sequence[object]] = [_period_cells(one, found.line) for one in found.chosen[:SHOWN]]
    rows.append(
        ("all periods", _count(total["quantity"]), _count(total["free_quantity"]),
         _count(total["plan_quantity"]), _count(total["billable_quantity"]), "",
         _count(total["in_this_line"]), _money(total["amount"], found.line), "", "")
    )  # fmt: skip
    columns = ("period from (UTC)", "quantity", "free", "by plan", "billable",
               "place in the month", "in this line", "charged", "rev.", "why")  # fmt: skip
    table(many(len(found.chosen), "period"), columns, rows, right=columns[1:9])
    _more(len(found.chosen))
    if len(found.lines) > 1:
        parts = " + ".join(
            f"{_money(one.amount, found.line)} (line {one.line_no})" for one in found.lines
        )
        say(f"charged {_money(total['amount'], found.line)} = {parts}")


def _period_cells(one: PlacedPeriod, line: ExplainedLine) -> Sequence[object]:
    known = one.charged
    return (
        f"{known.period_start:%Y-%m-%d %H:%M}",
        _count(known.quantity),
        _count(known.free_quantity),
        _count(known.plan_quantity),
        _count(known.billable_quantity),
        f"{one.month_from:,}–{one.month_to:,}",
        _count(one.in_this_line),
        _money(known.amount, line),
        known.last_revision,
        known.reasons,
    )


def _show_domains(found: Explanation) -> None:
    domains = found.domains
    if found.usage_since is not None:
        say(
            f"Usage of before {found.usage_since:%Y-%m-%d} was pruned: what each domain used by the"
            " day stands in the invoice's appendix."
        )
    rows = [
        (one.domain, one.traffic_class, one.region, _count(one.requests), _count(one.bytes_sent),
         one.hours)
        for one in domains[:SHOWN]
    ]  # fmt: skip
    columns = ("domain", "class", "edge region", "requests", "bytes", "hours")
    if not domains:
        if found.usage_since is None:
            say("no usage in these periods")
        return
    table(
        f"{many(len(domains), 'row')} by domain",
        columns,
        rows,
        right=("requests", "bytes", "hours"),
    )
    _more(len(domains))


def _show_edges(edges: Sequence[EdgeRange], certificates: Sequence[CertificateTaken]) -> None:
    rows = [
        (one.edge_id, one.region, one.epoch, f"{one.first_sequence}–{one.last_sequence}",
         _count(one.events), one.hours)
        for one in edges[:SHOWN]
    ]  # fmt: skip
    incomplete = sum(1 for one in certificates if one.state == "incomplete")
    title = many(len(certificates), "certificate") + (
        f", {incomplete} incomplete" if incomplete else ""
    )
    columns = ("edge", "region", "epoch", "batches", "events of all domains", "hours")
    table(title, columns, rows, right=("batches", "events of all domains", "hours"))
    _more(len(edges))
    say("one hour with its certificates: --hour 2026-10-05T13; all of it: --json")


def _more(count: int) -> None:
    if count > SHOWN:
        say(f"… and {count - SHOWN} more: --json")


def _count(value: int) -> str:
    return f"{value:,}"


def _price_words(card: CardTier, item: str) -> str:
    """What the card's prices are for, as its book says it, and what the quantities here count."""
    many = card.per != 1
    unit = f"{card.unit}s" if many and card.unit == "request" else card.unit
    words = unit_text(item, f"{_count(card.per)} {unit}" if many else unit)
    if card.unit == "request":
        return f"its prices are {words}"
    if item == "data_transfer":
        return f"its prices are {words}; quantities here are bytes"
    size = _count(card.unit_quantity // card.per)
    return (
        f"its prices are {words}; quantities here are bytes in 5 minutes, {size} of them are"
        f" 1 {card.unit}"
    )


def _bound(value: int | None, card: CardTier) -> str:
    """A tier's bound in the card's unit where it is a whole number of them."""
    if value is None:
        return "no end"
    size = card.unit_quantity // card.per
    if card.unit == "request" or value % size:
        return _count(value)
    return f"{_count(value // size)} {card.unit}"


def _percent(millionths: int) -> str:
    whole, rest = divmod(millionths, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
