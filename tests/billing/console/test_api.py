"""The read API: what OpenAPI says holds, money is exact text, pages neither repeat nor skip."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from billing.console.api_resources import API, RESOURCES
from billing.lake.query import connect
from examples import read_api_client
from tests.billing.console.conftest import NAMES, TOKENS, Served, fetch
from tests.billing.console.test_pages import INVOICE
from tests.effort import PATIENCE_S, THOROUGH

ANNA = {"Authorization": f"Bearer {TOKENS['anna']}"}
SAMPLE = settings(
    max_examples=60 if THOROUGH else 6, deadline=None, suppress_health_check=list(HealthCheck)
)
GIVEN = {"/usage": {"day": "2026-11-03"}, "/charges": {"month": "2026-11"},
         "/prices": {"day": "2026-11-03"}}  # fmt: skip


@pytest.fixture(scope="module")
def schema(served: Served) -> Any:
    """The API by its own description."""
    return schemathesis.openapi.from_url(f"{served.base}{API}/openapi.json", headers=ANNA)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
def test_whatever_is_asked_is_answered_as_openapi_says(mode: GenerationMode, schema: Any) -> None:
    """Schemathesis asks what the description allows, and what it does not."""
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == len(RESOURCES) + 5
    for operation in operations:

        @settings(
            max_examples=60 if THOROUGH else 6, deadline=None, suppress_health_check=[*HealthCheck]
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: Any) -> None:
            # Our header stands in for the one it left out, and what it adds may be nothing once it
            # is written in an address: that wrong questions are refused is asked below.
            case.call_and_validate(
                headers=ANNA, timeout=PATIENCE_S, excluded_checks=[negative_data_rejection]
            )

        holds()


@pytest.fixture(scope="module")
def anna(served: Served) -> Iterator[httpx.Client]:
    """A program with a token that sees all."""
    with httpx.Client(timeout=PATIENCE_S, base_url=served.base + API, headers=ANNA) as client:
        yield client


def walked(client: httpx.Client, path: str, limit: int, **words: str) -> list[dict[str, Any]]:
    """All rows of a list, so many a page."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        answer = client.get(path, params={**words, "limit": limit, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["rows"]) <= limit
        rows += page["rows"]
        cursor = page["next"]
    return rows


def test_pages_of_a_list_together_are_the_list(anna: httpx.Client, home: Path) -> None:
    for resource in RESOURCES:
        path = resource.path.format(invoice=INVOICE)
        words = GIVEN.get(path, {})
        whole = walked(anna, path, 1000, **words)
        assert whole, path
        assert walked(anna, path, 1 if len(whole) < 20 else 7, **words) == whole, path
    day = {"day": "2026-11-03"}
    with connect(home) as lake:
        asked = "SELECT sum(requests) FROM usage_hourly WHERE CAST(hour AS DATE) = '2026-11-03'"
        assert [(sum(row["requests"] for row in walked(anna, "/usage", 3, **day)),)] == lake.sql(
            asked
        ).fetchall()
        names = walked(anna, "/usage", 100, day="2026-11-03")
        assert len(names) > NAMES // 100


def test_money_is_text_and_sums_to_the_lake_to_the_last_digit(
    anna: httpx.Client, home: Path
) -> None:
    rows = walked(anna, "/charges", 5, month="2026-11", account="acme")
    assert all(isinstance(row["amount"], str) for row in rows)
    with connect(home) as lake:
        asked = "SELECT sum(amount) FROM charges WHERE month = '2026-11' AND account_id = 'acme'"
        assert [(sum(Decimal(row["amount"]) for row in rows),)] == lake.sql(asked).fetchall()


def test_one_of_each_and_its_documents(anna: httpx.Client, home: Path) -> None:
    account = anna.get("/accounts/acme").json()
    assert account["reason"] == "the balance is below zero"
    assert account["since"].endswith("Z")
    invoice = anna.get(f"/invoices/{INVOICE}").json()
    assert invoice["account_id"] == "acme"
    documents = anna.get(f"/invoices/{INVOICE}/documents").json()["rows"]
    assert [one["format"] for one in documents] == ["html", "csv", "detail.csv", "json"]
    found = anna.get(documents[-1]["href"].removeprefix(API))
    assert found.content == (home / "invoices" / "2026-10" / f"{INVOICE}.json").read_bytes()


def test_a_quote_is_the_price_in_force(anna: httpx.Client) -> None:
    words = {"item": "https_requests", "quantity": "10000", "book": "plain"}
    quote = anna.get("/quote", params=words).json()
    assert (quote["amount"], quote["book"]) == ("0.0080000000", "plain")
    problem = anna.get("/quote", params={**words, "book": "nothing"})
    assert problem.status_code == 404
    assert problem.headers["content-type"] == "application/problem+json"
    assert "no price of https_requests" in problem.json()["detail"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/usage", "day: Field required"),
        ("/usage?day=2026-02-30", "day: "),
        ("/accounts?limit=0", "limit: "),
        ("/accounts?limit=1&limit=2", "given twice"),
        ("/accounts?colour=red", "colour: "),
        ("/charges?month=2026-13", "month: "),
    ],
)
def test_what_cannot_be_asked_is_a_problem_that_names_it(
    path: str, said: str, anna: httpx.Client
) -> None:
    answer = anna.get(path)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert answer.json()["hint"]


def test_what_did_not_change_is_not_sent_again(anna: httpx.Client, served: Served) -> None:
    first = anna.get("/accounts")
    again = anna.get("/accounts", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    other = {"authorization": f"Bearer {TOKENS['acme-only']}"}
    mine = fetch(
        "GET",
        f"{served.base}{API}/accounts",
        headers={**other, "if-none-match": first.headers["etag"]},
    )
    assert [row["account_id"] for row in mine.json()["rows"]] == ["acme"]


def test_a_bound_token_reads_its_rows_from_every_list(served: Served) -> None:
    token = {"authorization": f"Bearer {TOKENS['acme-only']}"}
    with httpx.Client(timeout=PATIENCE_S, base_url=served.base + API, headers=token) as client:
        for resource in RESOURCES:
            for account in ({}, {"account": "beta"}):
                path = resource.path.format(invoice=INVOICE)
                takes = "account" in resource.asked.model_fields
                words = {**GIVEN.get(path, {}), **(account if takes else {})}
                found = walked(client, path, 100, **words)
                assert {row.get("account_id", "acme") for row in found} <= {"acme", None}, path
                if resource.path == "/usage":
                    assert all(row["account_id"] == "acme" for row in found)
        assert client.get("/accounts/beta").status_code == 404
        for path in ("", "/lines", "/documents", "/documents/json"):
            assert client.get(f"/invoices/INV-USD-2026-000002{path}").status_code == 404
            assert client.get(f"/invoices/{INVOICE}{path}").status_code == 200


def test_without_a_token_there_is_a_problem_and_no_page(served: Served) -> None:
    for path in ("/accounts", "/openapi.json", "/nowhere"):
        answer = fetch("GET", served.base + API + path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    assert fetch("GET", f"{served.base}{API}/nowhere", headers=ANNA).status_code == 404


def test_the_client_of_the_examples_reads_a_month(served: Served) -> None:
    out = io.StringIO()
    with redirect_stdout(out):
        read_api_client.main([served.base, TOKENS["anna"], "2026-11"])
    said = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {one["account_id"] for one in said} == {"acme", "beta"}
