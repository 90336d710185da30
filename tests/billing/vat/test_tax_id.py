"""A VAT number is looked at by the rules of its country, and never asked for elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing.vat.tax_id import why_wrong
from tests.billing.close.test_close import item, look
from tests.billing.invoices.world import ACCOUNTS, october


@pytest.mark.parametrize(
    ("tax_id", "country", "why"),
    [
        ("DE136695976", "DE", None),
        ("DE123456789", "DE", "DE123456789 has a wrong check digit for DE"),
        ("de 136 695 976", "DE", None),
        ("FR40303265045", "DE", None),
        ("IE1", "IE", "IE1 has not the right form for IE"),
        ("GB980780684", "GB", None),
        ("ATX3585627", "AT", "ATX3585627 has not the right form for AT"),
        ("", "DE", None),
        ("12-3456789", "US", None),
        ("anything", "", None),
        ("anything", "a country", None),
    ],
)
def test_a_vat_number_has_the_form_and_check_digits_of_its_country(
    tax_id: str, country: str, why: str | None
) -> None:
    assert why_wrong(tax_id, country) == why


def test_the_close_names_the_account_whose_number_cannot_be_one(tmp_path: Path) -> None:
    accounts = ACCOUNTS.replace('country = "DE"\n', 'country = "DE"\ntax_id = "DE123456789"\n', 1)
    found = look(october(tmp_path, accounts=accounts), requires=())
    assert item(found, "wrong tax id")[1].endswith(
        ": acme (DE123456789 has a wrong check digit for DE)"
    )
    assert "wrong tax id:acme" in found.unapproved
