"""How an explanation is printed for people: the line, its tiers, days, domains, edges, one below
the other.
"""

from __future__ import annotations

from typing import Any

from edge.terminal import say, table

SHOWN = 24


def show(document: dict[str, Any]) -> None:
    """Print the explanation that `billing.reports.explain.explanation` made."""
    line = document["line"]
    priced = line["unit_quantity"] > 0
    table(
        f"{document['invoice_no']} line {document['line_no']}, account {line['account_id']},"
        f" month {line['month']}",
        ("item", "region", "quantity", "free", "by plan", "billable", "price", "per", "amount"),
        [
            (
                line["item"], line["region"], _count(line["quantity"]),
                _count(line["free_quantity"]), _count(line["plan_quantity"]),
                _count(line["billable_quantity"]), line["unit_price"] if priced else "",
                line["unit"] if priced else "", f"{line['amount']} {line['currency']}",
            )
        ],
        right=("quantity", "free", "by plan", "billable", "price", "amount"),
    )  # fmt: skip
    if line["corrects_invoice"]:
        say(
            f"It corrects {line['corrects_invoice']}, hour {line['corrects_hour']} UTC:"
            f" {line['reason']}"
        )
    elif line["reason"]:
        say(line["reason"])
    if line["tier"]:
        say(f"It is the part: {line['tier']}")
    _show_card(document["rate_card"], line)
    _show_hours(document)
    _show_domains(document["domains"])
    _show_edges(document["edges"], document["certificates"])


def _show_card(card: dict[str, Any], line: dict[str, Any]) -> None:
    rows = [
        (tier["tier_no"], _bound(tier["above"], card), _bound(tier["up_to"], card),
         tier["unit_price"], tier["flat_fee"])
        for tier in card["tiers"]
    ]  # fmt: skip
    if not rows:
        return
    more = [_price_words(card, line["item"])]
    more += [
        f"{name} {card[key]} {line['currency']}"
        for name, key in (("fixed fee", "flat_fee"), ("minimum", "minimum"), ("maximum", "maximum"))
        if card[key] not in (None, "0.00")
    ]
    if card["free_quantity"]:
        more.append(f"free per month {_bound(card['free_quantity'], card)}")
    if card["discount_millionths"]:
        more.append(f"discount {_percent(card['discount_millionths'])} %")
    table(
        f"Rate card {card['rate_card']}, {card['model']}",
        ("tier", "above", "up to", "unit price", "flat fee"),
        rows,
        right=("tier", "above", "up to", "unit price", "flat fee"),
    )
    say("; ".join(more))


def _show_hours(document: dict[str, Any]) -> None:
    hours, lines, sums = document["hours"], document["lines"], document["sums"]
    rows = [
        (f"{one['period_start']:%Y-%m-%d %H:%M}", _count(one["quantity"]),
         _count(one["free_quantity"]), _count(one["plan_quantity"]),
         _count(one["billable_quantity"]), f"{one['month_from']:,}–{one['month_to']:,}",
         _count(one["in_this_line"]), one["amount"], one["last_revision"], one["reasons"])
        for one in hours[:SHOWN]
    ]  # fmt: skip
    rows.append(
        ("all periods", _count(sums["quantity"]), _count(sums["free_quantity"]),
         _count(sums["plan_quantity"]), _count(sums["billable_quantity"]), "",
         _count(sums["in_this_line"]), sums["amount"], "", "")
    )  # fmt: skip
    columns = ("period from (UTC)", "quantity", "free", "by plan", "billable",
               "place in the month", "in this line", "charged", "rev.", "why")  # fmt: skip
    right = columns[1:9]
    table(f"{len(hours)} periods", columns, rows, right=right)
    _more(len(hours))
    if len(lines) > 1:
        parts = " + ".join(f"{one['amount']} (line {one['line_no']})" for one in lines)
        say(f"charged {sums['amount']} = {parts}")


def _show_domains(domains: list[dict[str, Any]]) -> None:
    rows = [
        (one["domain"], one["class"], one["region"], _count(one["requests"]),
         _count(one["bytes_sent"]), one["hours"])
        for one in domains[:SHOWN]
    ]  # fmt: skip
    columns = ("domain", "class", "edge region", "requests", "bytes", "hours")
    if not domains:
        say("no usage in these periods")
        return
    table(f"{len(domains)} rows by domain", columns, rows, right=("requests", "bytes", "hours"))
    _more(len(domains))


def _show_edges(edges: list[dict[str, Any]], certificates: list[dict[str, Any]]) -> None:
    rows = [
        (one["edge_id"], one["region"], one["epoch"],
         f"{one['first_sequence']}–{one['last_sequence']}", _count(one["events"]), one["hours"])
        for one in edges[:SHOWN]
    ]  # fmt: skip
    incomplete = sum(1 for one in certificates if one["state"] == "incomplete")
    title = f"{len(certificates)} certificates" + (
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


def _price_words(card: dict[str, Any], item: str) -> str:
    """What the card's prices are for, as its book says it, and what the quantities here count."""
    from billing.invoices.documents.page import unit_text

    many = card["per"] != 1
    unit = f"{card['unit']}s" if many and card["unit"] == "request" else card["unit"]
    words = unit_text(item, f"{_count(card['per'])} {unit}" if many else unit)
    if card["unit"] == "request":
        return f"its prices are {words}"
    if item == "data_transfer":
        return f"its prices are {words}; quantities here are bytes"
    size = _count(card["unit_quantity"] // card["per"])
    return (
        f"its prices are {words}; quantities here are bytes in 5 minutes, {size} of them are"
        f" 1 {card['unit']}"
    )


def _bound(value: int | None, card: dict[str, Any]) -> str:
    """A tier's bound in the card's unit where it is a whole number of them."""
    if value is None:
        return "no end"
    size = card["unit_quantity"] // card["per"]
    if card["unit"] == "request" or value % size:
        return _count(value)
    return f"{_count(value // size)} {card['unit']}"


def _percent(millionths: int) -> str:
    whole, rest = divmod(millionths, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
