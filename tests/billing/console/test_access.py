"""Who may look: a link once, a token, its own rows; every address against every token."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import httpx
import pytest

import edgetoll
import sql
from billing.analysts import library
from billing.console import access
from billing.console.site.table import PAGES
from billing.lake import own_rows
from billing.lake.query import connect
from tests.billing.console.conftest import TOKENS, Served, fetch
from tests.billing.console.test_pages import INVOICE, KNOWN
from tests.billing.homes import copied
from tests.effort import PATIENCE_S, THOROUGH

OTHERS = {"account": "beta", "invoice": "INV-USD-2026-000002"}
ADDRESSES = sorted(
    {page.path.format(**given) for page in PAGES for given in (KNOWN, {**KNOWN, **OTHERS})}
    | {f"/invoices/{no}/document.html" for no in (INVOICE, OTHERS["invoice"])}
    | {"/usage?account=beta&domain=a.beta.example", "/invoices?account=beta",
       "/hour?hour=2026-11-03T08&account=beta", "/accounts?search=beta", "/ask"}
)  # fmt: skip
GIVEN = {
    "month": "2026-11", "day": "2026-11-03", "from_day": "2026-10-01", "edge": "edge-1",
    "other_from_day": "2026-09-01", "other_to_day": "2026-09-30",
    "to_day": "2026-11-30", "hour": "2026-11-03T08", "account": "beta", "book": "plain",
    "tag": "team", "invoice": OTHERS["invoice"], "run": "R00000001", "by": "account",
}  # fmt: skip
SECRETS = ("Söhne", "a.beta.example", "wire-2", "nobody.example", '"beta"', ">beta<", "/beta")
"""What only whoever sees all accounts, or beta, may read."""


def test_the_printed_link_works_once(served: Served) -> None:
    link = served.link()
    with httpx.Client(timeout=PATIENCE_S, follow_redirects=True) as client:
        assert "<h1>Today</h1>" in client.get(link).text
        cookie = client.get(f"{served.base}/enter?key=x")
        assert cookie.status_code == 403
    with httpx.Client(timeout=PATIENCE_S, follow_redirects=True) as other:
        answer = other.get(link)
        assert answer.status_code == 403
        assert "This link was used" in answer.text
        assert "<h1>Come in</h1>" in other.get(served.base).text


def test_the_cookie_is_for_us_alone_and_not_for_scripts(served: Served) -> None:
    answer = fetch("GET", served.link())
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_without_a_session_every_address_leads_to_the_door(served: Served) -> None:
    files = [f"/ask/usage_by_day{end}" for end in ("", ".csv", ".xlsx")]
    for address in [*ADDRESSES, *files, "/leave", "/nowhere"]:
        answer = fetch("GET", served.base + address)
        assert answer.status_code == 303, address
        assert answer.headers["location"].startswith("/enter?next=")
    assert fetch("GET", f"{served.base}/static/console.css").status_code == 200


@pytest.mark.parametrize(
    "authorization", ["Bearer nonsense", "Bearer", "Basic YTpi", "Bearer \xff"]
)
def test_a_wrong_token_is_refused_though_the_cookie_is_right(
    served: Served, authorization: str
) -> None:
    with served.browser_of() as client:
        answer = client.get("/", headers={"authorization": authorization.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_person_comes_in_with_a_token_and_goes_where_the_link_led(served: Served) -> None:
    with httpx.Client(timeout=PATIENCE_S, base_url=served.base, follow_redirects=True) as client:
        form = client.get("/accounts/acme?month=2026-11")
        assert 'name="next" value="/accounts/acme?month=2026-11"' in form.text
        wanted = "/accounts/acme?month=2026-11"
        wrong = client.post("/enter", data={"token": "edgetoll_wrong", "next": wanted})
        assert wrong.status_code == 403
        page = client.post("/enter", data={"token": TOKENS["acme-only"], "next": wanted})
        assert page.url.path == "/accounts/acme"
        assert "acme only" in page.text
        client.get("/leave")
        assert "<h1>Come in</h1>" in client.get("/").text


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "x", "/enter", "/\r\nx"]
)
def test_nobody_is_led_elsewhere(wanted: str, served: Served) -> None:
    assert access.inside(wanted) == "/"
    form = {"token": TOKENS["anna"], "next": wanted}
    assert fetch("POST", f"{served.base}/enter", data=form).headers["location"] == "/"


def test_other_sites_methods_and_names_are_refused(served: Served) -> None:
    form = {"token": TOKENS["anna"], "next": "/"}
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert fetch("POST", f"{served.base}/enter", data=form, headers=elsewhere).status_code == 403
    big = fetch("POST", f"{served.base}/enter", content=b"x" * 100_000)
    assert big.status_code == 413
    with served.browser_of() as client:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert client.request(method, "/accounts").status_code == 405
        assert client.get("/", headers={"host": "evil.example"}).status_code == 421
        assert client.get("/", headers={"host": ""}).status_code == 421


ECHOES = (
    "account=beta",
    "domain=a.beta.example",
    "?search=beta",
    'value="beta"',
    'value="a.beta.example"',
)


def seen(answer: httpx.Response) -> str:
    """What an answer tells that the question did not: without what came from its address."""
    words = answer.text
    for echo in ECHOES:
        words = words.replace(echo, "")
    return words


@pytest.mark.parametrize("name", list(TOKENS))
def test_every_page_shows_each_token_its_own_rows(name: str, served: Served) -> None:
    """Every address × every token: of others a bound one sees nothing, its own it does see."""
    with served.browser_of(TOKENS[name]) as client:
        for address in ADDRESSES if THOROUGH or name == "acme-only" else ADDRESSES[::6]:
            answer = client.get(address)
            assert answer.status_code in (200, 403, 404), (address, answer.status_code)
            if name == "acme-only" and answer.status_code == 200:
                told = [one for one in SECRETS if one in seen(answer)]
                assert told == [], address
        status = {
            address: client.get(address).status_code
            for address in ("/accounts/acme", "/accounts/beta", "/runs", "/completeness")
        }
    sees = {"anna": {"acme", "beta"}, "acme-only": {"acme"}, "beta-only": {"beta"}}[name]
    for account in ("acme", "beta"):
        assert status[f"/accounts/{account}"] == (200 if account in sees else 404)
    assert status["/runs"] == status["/completeness"] == (200 if name == "anna" else 403)


@pytest.mark.parametrize("question", [one.name for one in library.all_queries()])
def test_every_question_knows_nothing_of_others_for_a_bound_token(
    question: str, served: Served
) -> None:
    words = {one.name: GIVEN[one.name] for one in library.find(question).parameters
             if one.name in GIVEN}  # fmt: skip
    with served.browser_of(TOKENS["acme-only"]) as client:
        for given in (words, {**words, "account": "all"}) if "account" in words else (words,):
            answer = client.get(f"/ask/{question}.csv", params=given)
            assert answer.status_code == 200, answer.text
            for one in ("Söhne", "beta", "wire-2", "nobody.example"):
                assert one not in answer.text.replace("beta-", ""), (question, one)


def test_every_view_is_narrowed_or_said_to_be_everybodys(home: Path) -> None:
    views = [path.rpartition("/")[2] for path in sql.names("views")]
    assert set(own_rows.RULES) <= set(views)
    with connect(home, account="acme") as narrow, connect(home) as whole:
        for view in views:
            relation = narrow.table(view)
            rule = own_rows.RULES.get(view)
            count = relation.aggregate("count(*)").fetchall()[0][0]
            if rule is None:
                assert count == 0, view
            elif "account_id" in relation.columns:
                found = {row[0] for row in relation.project("account_id").distinct().fetchall()}
                assert found <= ({"acme", None} if rule == "own or general" else {"acme"}), view
            elif rule == "everybody's":
                assert not {"requests", "amount"} & set(relation.columns), view
                assert count == whole.table(view).aggregate("count(*)").fetchall()[0][0]
        assert narrow.sql("SELECT count(*) FROM invoice_lines").fetchall() > [(0,)]
        with pytest.raises(duckdb.Error):
            narrow.execute("SET memory_limit = '9GB'")


def test_a_token_that_is_taken_out_of_the_settings_ends_at_once(home: Path, tmp_path: Path) -> None:
    mine = copied(home, tmp_path / "mine")
    settings = mine / "edgetoll.toml"
    with Served(mine) as console, httpx.Client(timeout=PATIENCE_S, base_url=console.base) as client:
        client.post("/enter", data={"token": TOKENS["anna"], "next": "/"})
        assert client.get("/accounts").status_code == 200
        text = settings.read_text().replace("readers.anna]", "readers.someone-else]")
        settings.write_text(text)
        assert client.get("/accounts").status_code == 303
        settings.write_text(text + "nonsense")
        answer = client.get("/accounts", headers={"authorization": f"Bearer {TOKENS['anna']}"})
        assert answer.status_code == 503
        assert "edgetoll.toml" in answer.json()["detail"]


def test_a_new_token_is_printed_once_and_kept_as_a_hash(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = copied(home, tmp_path / "mine")
    words = ["console", "--home", str(mine), "--json", "--new-token"]
    assert edgetoll.main([*words, "carl", "--account", "beta"]) == 0
    made = json.loads(capfd.readouterr().out)
    with open(mine / "edgetoll.toml", "a") as settings:
        settings.write(made["settings"] + "\n")
    assert made["token"] not in (mine / "edgetoll.toml").read_text()
    with Served(mine) as console, console.browser_of(made["token"]) as client:
        assert client.get("/accounts/beta").status_code == 200
        assert client.get("/accounts/acme").status_code == 404
    assert edgetoll.main([*words, "no name"]) == 1
    assert "is no name of a reader" in capfd.readouterr().err


def test_a_place_that_cannot_be_served_is_a_line(
    home: Path, capfd: pytest.CaptureFixture[str], served: Served
) -> None:
    taken = served.base.removeprefix("http://")
    for place in ("nonsense", "127.0.0.1:99999", "192.0.2.1:80", taken):
        assert edgetoll.main(["console", "--home", str(home), "--listen", place]) == 1
        assert capfd.readouterr().err.count("\n") == 2
    assert edgetoll.main(["console", "--home", str(home / "nowhere")]) == 1
    assert "no home at" in capfd.readouterr().err
