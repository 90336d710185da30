"""A client of the read API in fifty lines: what each account was charged in a month, exactly.

    python -m examples.read_api_client http://127.0.0.1:9465 TOKEN 2026-11

The token is one of `edgetoll console --new-token NAME`. It walks a list page by page and adds up
money as decimals: the API writes it as text, so that no digit is lost on the way.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import httpx


def rows(client: httpx.Client, path: str, **words: str) -> Iterator[dict[str, Any]]:
    """Every row of a list, whatever the number of its pages; SystemExit says what is wrong."""
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(path, params={**words, "limit": 1000, "cursor": cursor})
        if answer.is_error:
            problem = answer.json()
            raise SystemExit(f"{problem['detail']}. {problem['hint']}")
        page = answer.json()
        yield from page["rows"]
        cursor = page["next"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a JSON line for each account and currency of the month."""
    base, token, month = sys.argv[1:] if arguments is None else arguments
    headers = {"Authorization": f"Bearer {token}"}
    charged: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    with httpx.Client(base_url=f"{base}/api/v1", headers=headers) as client:
        for row in rows(client, "/charges", month=month):
            charged[row["account_id"], row["currency"]] += Decimal(row["amount"])
    for (account, currency), amount in sorted(charged.items()):
        line = {"account_id": account, "month": month, "amount": f"{amount:f}"}
        print(json.dumps({**line, "currency": currency}))


if __name__ == "__main__":
    main()
