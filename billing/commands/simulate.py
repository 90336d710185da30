"""`edgetoll billing simulate`: wiring of the what-if command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.terminal import (
    DEFAULT_HOME,
    AsOfOption,
    HomeOption,
    JsonOption,
    as_of_time,
    emit,
    table,
    warn,
)

if TYPE_CHECKING:
    from billing.rating.records import WhatIf


def simulate(
    price_book: Annotated[
        Path, typer.Option("--price-book", metavar="FILE.toml", help="The price book to try.")
    ],
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month to price again.")],
    instead_of: Annotated[
        str | None,
        typer.Option(metavar="BOOK", help="Whose accounts. Default: the book with the same id, "
                                          "else all accounts that pay in its currency."),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    as_of: AsOfOption = None,
) -> None:  # fmt: skip
    """Price a month's stored usage with another price book and show the change per account.

    Nothing is written. Plans and free quotas are used as they would have been.

    Example: edgetoll billing simulate --price-book new.toml --month 2026-10
    """
    from billing.appliers import open_store
    from billing.prices import load_books, read_book
    from billing.rating.simulate import simulate as run

    tried = read_book(price_book)
    books = load_books(home / "prices")
    with open_store(home, owner="billing simulate", now=as_of_time(as_of)) as store:
        result = run(store.connection, books=books, tried=tried, month=month, instead_of=instead_of)
    emit(_document(result), as_json=as_json, human=lambda: _show(result))


def _amounts(currency: str, old: int, new: int) -> dict[str, str]:
    from billing.money import format_amount

    return {
        "charged": format_amount(old, currency),
        "simulated": format_amount(new, currency),
        "change": format_amount(new - old, currency),
    }


def _document(result: WhatIf) -> dict[str, object]:
    return {
        "price_book": result.book,
        "instead_of": list(result.instead_of),
        "month": result.month,
        "through": result.through,
        "accounts": [
            {
                "account_id": one.account_id,
                "currency": one.currency,
                **_amounts(one.currency, one.charged, one.tried),
                "items": {
                    item: {
                        **_amounts(one.currency, old, new),
                        "terms": {
                            term: _amounts(one.currency, *amounts)
                            for term, amounts in one.terms(item).items()
                        },
                    }
                    for item, (old, new) in one.items.items()
                },
            }
            for one in result.accounts
        ],
        "totals": {
            currency: _amounts(currency, old, new)
            for currency, (old, new) in _totals(result).items()
        },
        "unpriced_hours": [
            {"account_id": one.account_id, "hour": one.hour, "problem": one.problem}
            for one in result.held
        ],
    }


def _totals(result: WhatIf) -> dict[str, tuple[int, int]]:
    totals: dict[str, tuple[int, int]] = {}
    for one in result.accounts:
        old, new = totals.get(one.currency, (0, 0))
        totals[one.currency] = (old + one.charged, new + one.tried)
    return totals


def _fixed(result: WhatIf) -> list[tuple[str, str, int, int]]:
    """(currency, fixed term, charged, simulated) over all accounts."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for one in result.accounts:
        for (_, term), (charged, tried) in one.parts.items():
            if term != "usage":
                old, new = found.get((one.currency, term), (0, 0))
                found[one.currency, term] = (old + charged, new + tried)
    return [(*key, *amounts) for key, amounts in sorted(found.items())]


def _show(result: WhatIf) -> None:
    rows = [
        (one.account_id, one.currency, *_amounts(one.currency, one.charged, one.tried).values())
        for one in sorted(result.accounts, key=lambda one: (-abs(one.change), one.account_id))
    ]
    rows += [
        ("all", currency, *_amounts(currency, old, new).values())
        for currency, (old, new) in _totals(result).items()
    ]
    columns = ("account", "currency", "charged", "simulated", "change")
    title = f"{result.month} with {result.book} instead of {', '.join(result.instead_of)}"
    table(title, columns, rows, right=columns[2:])
    print(f"Usage before {result.through:%Y-%m-%dT%H:%MZ} was priced. Nothing was changed.")
    for currency, term, old, new in _fixed(result):
        was, now, change = _amounts(currency, old, new).values()
        print(f"Of it {term}: {was} {currency} was charged, {now} would be ({change}).")
    for one in result.held[:5]:
        warn(f"{one.account_id}, {one.hour:%Y-%m-%dT%H:%MZ} would not be charged: {one.problem}")
    if len(result.held) > 5:
        warn(f"… and {len(result.held) - 5} more account-hours without a price")
