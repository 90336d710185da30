"""Taxes come from a table: dated, by the countries of seller and customer; what it does not say
stops the account's document by name.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from billing.appliers import open_store
from billing.invoices import reading
from billing.invoices.documents import html_document
from billing.invoices.documents.rendering import rendered
from billing.vat.rules import TaxCase, UnknownTax, decide, read_tax_table
from edge.errors import ConfigError
from tests.billing.homes import Use
from tests.billing.invoices.test_cases_tax import RATES, tax_and_net, world_of
from tests.billing.invoices.world import ACCOUNTS, DECEMBER, NOVEMBER, OCTOBER, World, october

EXAMPLE = Path(__file__).parents[3] / "examples" / "tax.example.toml"
TABLE = """
[[tax]]
id = "home"
seller = ["IE"]
customer = ["IE"]
effective_from = 2020-01-01
rate_percent = "20"

[[tax]]
id = "home"
seller = ["IE"]
customer = ["IE"]
effective_from = 2026-11-01
rate_percent = "22.5"

[[tax]]
id = "eu"
seller = ["IE"]
customer = ["EU"]
buyer = "business"
effective_from = 2020-01-01
rate_percent = "0"
category = "AE"
code = "VATEX-EU-AE"
[tax.sentence]
en = "Reverse charge."
de = "Steuerschuldnerschaft des Leistungsempfängers."
"""
SELLER = {"name": "Tests CDN", "address": ("1 Test Street",), "tax_id": "IE1234567FA"}


def case(**changes: object) -> TaxCase:
    """A business in Germany of a seller in Ireland, at the end of October 2026."""
    facts: dict[str, object] = {
        "day": date(2026, 10, 31), "seller": "IE", "country": "DE", "tax_id": "DE136695976",
        "exemption": "", "rule_id": "", "own_rate": Decimal(0), **changes,
    }  # fmt: skip
    return TaxCase(**facts)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the example's table."""
    folder = tmp_path_factory.mktemp("taxed")
    folder.joinpath("tax.toml").write_bytes(EXAMPLE.read_bytes())
    return folder


def decided(home: Path, **changes: object) -> str:
    """Category and rate, or why there is none."""
    table = read_tax_table(home)
    assert table is not None
    found = decide(case(**changes), table, "en")
    if isinstance(found, UnknownTax):
        return found.problem
    return f"{found.code} {found.percent}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "AE 0"),
        ({"tax_id": ""}, "S 19"),
        ({"seller": "DE"}, "S 19"),
        ({"seller": "DE", "tax_id": ""}, "S 19"),
        ({"country": "US", "tax_id": "12-3456789"}, "O 0"),
        ({"country": "GB", "tax_id": "GB980780684"}, "O 0"),
        ({"country": "FI", "tax_id": "", "day": date(2024, 8, 31)}, "S 24"),
        ({"country": "FI", "tax_id": "", "day": date(2024, 9, 30)}, "S 25.5"),
        ({"country": "GR", "tax_id": "EL094259216"}, "AE 0"),
        ({"exemption": "Exempt: Article 151"}, "E 0"),
        ({"tax_id": "", "own_rate": Decimal("19.0000")}, "S 19"),
        ({"rule_id": "eu-reverse-charge", "tax_id": "", "own_rate": Decimal(7)}, "AE 0"),
    ],
)
def test_the_example_table_decides_by_both_countries_buyer_and_day(
    changes: dict[str, object], said: str, home: Path
) -> None:
    assert decided(home, **changes) == said


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"country": ""}, "it has no country"),
        ({"country": "GERMANY"}, "its country 'GERMANY' is no code of two letters"),
        ({"seller": ""}, "the seller's country is not known"),
        ({"seller": "US"}, "tax.toml has no row for a seller in US and a business in DE"),
        ({"day": date(2023, 12, 31)}, "on 2023-12-31"),
        ({"tax_id": "DE136695977"}, "nobody can tell whether it is a business"),
        ({"tax_id": "FR40303265045"}, "is of FR, its country DE"),
        ({"rule_id": "nowhere"}, "it names tax_rule 'nowhere'"),
        ({"own_rate": Decimal(7)}, "its own tax_rate_percent is 7, tax.toml says 0"),
    ],
)
def test_an_unknown_case_is_named_and_never_guessed(
    changes: dict[str, object], why: str, home: Path
) -> None:
    assert why in decided(home, **changes)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (TABLE.replace('"22.5"', "22.5"), "in quotes"),
        (TABLE.replace("2026-11-01", "2020-01-01"), "are both for IE to IE (any) from 2020-01-01"),
        (TABLE.replace('category = "AE"', 'category = "S"'), "category S has a rate above zero"),
        (TABLE.replace('en = "Reverse charge."\n', ""), "in English too"),
        (TABLE.replace('"EU"', '"Europe"'), "key tax.3.customer"),
        ("", "tax.toml"),
    ],
)
def test_a_table_that_would_leave_something_open_is_refused_with_the_place(
    broken: str, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "tax.toml"
    path.write_text(broken)
    with pytest.raises(ConfigError) as refused:
        read_tax_table(tmp_path)
    assert why in str(refused.value), refused.value


def world_with(folder: Path, table: str, accounts: str) -> World:
    """October of acme and beta, of a seller in Ireland, with a table of taxes."""
    world = october(folder, accounts=accounts)
    world.home.joinpath("tax.toml").write_text(table, encoding="utf-8")
    seller = world.settings.seller.model_copy(update=SELLER | {"country": "IE"})
    world.settings = world.settings.model_copy(update={"seller": seller})
    return world


GERMAN = ACCOUNTS.replace(
    'tax_rate_percent = "19"\n', 'tax_id = "DE136695976"\nlanguage = "de"\n'
).replace('name = "Beta"\n', 'name = "Beta"\ncountry = "IE"\n')


def test_documents_have_the_tables_rate_and_the_laws_sentence_in_their_language(
    tmp_path: Path,
) -> None:
    world = world_with(tmp_path, TABLE, GERMAN)
    assert world.invoice("2026-10", NOVEMBER.replace(hour=4)).waiting == ()
    acme, beta = sorted(world.documents("2026-10"), key=lambda one: one.account_id)
    assert (acme.tax_rate_bp, acme.tax, beta.tax_rate_bp) == (0, 0, 2000)
    assert acme.customer.details["tax_category"] == "AE"
    html = html_document.render(acme).decode()
    assert "Steuerschuldnerschaft des Leistungsempfängers." in html
    assert "Umsatzsteuer 0" in html
    assert "tax_category" not in beta.customer.details


def test_an_account_that_no_row_is_for_waits_by_name_and_the_others_are_issued(
    tmp_path: Path,
) -> None:
    world = world_with(tmp_path, TABLE, GERMAN.replace('country = "DE"', 'country = "US"'))
    done = world.invoice("2026-10", NOVEMBER.replace(hour=4))
    (waits,) = done.waiting
    assert (waits.account_id, done.invoices) == ("acme", 1)
    assert "nobody can tell its tax" in waits.problem
    assert "US" in waits.problem
    draft = world.invoice("2026-10", NOVEMBER.replace(hour=4), account="acme")
    assert draft.invoices == 0


def test_late_usage_has_the_rate_of_its_own_month_beside_this_months(tmp_path: Path) -> None:
    """Two rates on one document, both from the table."""
    world = world_of(tmp_path, RATES.split("[[accounts]]\n", 2)[0] + ONE)
    seller = world.settings.seller.model_copy(update=SELLER | {"country": "IE"})
    world.settings = world.settings.model_copy(update={"seller": seller})
    world.home.joinpath("tax.toml").write_text(TABLE, encoding="utf-8")
    world.use(OCTOBER, Use(requests=7_440_000, bytes_sent=0), through=NOVEMBER)
    world.rate(NOVEMBER)
    world.invoice("2026-10", NOVEMBER.replace(hour=4))
    (one,) = world.documents("2026-10")
    assert tax_and_net(one) == ("148.80", "744.00")
    late = OCTOBER + timedelta(days=9)
    world.use(late, Use(requests=1_000_000, bytes_sent=0), through=NOVEMBER)
    world.use(NOVEMBER, Use(requests=2_000_000, bytes_sent=0), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", DECEMBER.replace(hour=4))
    with open_store(world.home, owner="test", now=DECEMBER.replace(hour=5)) as store:
        reading.choose_month(store.connection, "2026-11", None)
        (made,) = rendered(store.connection)
    taxes = [
        (row["tax_rate_percent"], row["net"], row["tax"]) for row in json.loads(made.json)["taxes"]
    ]
    assert taxes == [("20", "100.00", "20.00"), ("22.5", "200.00", "45.00")]


ONE = """
[[accounts]]
id = "acme"
name = "Acme"
currency = "USD"
price_book = "plain"
country = "IE"

[[domains]]
domain = "www.acme.example"
account = "acme"
"""


def test_a_home_without_a_table_is_taxed_by_its_accounts_as_before(tmp_path: Path) -> None:
    world = october(tmp_path)
    world.invoice("2026-10", NOVEMBER.replace(hour=4))
    rates = {one.account_id: one.tax_rate_bp for one in world.documents("2026-10")}
    assert rates == {"acme": 1900, "beta": 0}
