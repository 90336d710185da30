"""Documents in seven languages: each text in each, figures by its customs, no digit changed."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sql
from billing.accounts.languages import LANGUAGE_OF_COUNTRY, LANGUAGES, language_of
from billing.invoices.documents import html_document
from billing.invoices.documents.page import page
from billing.invoices.figures import exact, grouped
from billing.invoices.records import AccountStanding, Invoice
from billing.invoices.wording.said_before import kept_text, tier_text, unit_words
from billing.invoices.wording.texts import catalogue
from billing.invoices.wording.writing import Writing
from tests.billing.invoices.samples import CENT, credit_note, invoice, line, transfer_line

OTHERS = [one for one in LANGUAGES if one != "en"]
SAME = {
    "region_EU", "bank", "bank_with_bic", "gigabytes", "terabytes", "megabits", "page_after",
    "comma", "minimum", "maximum", "total", "domain", "one_byte", "some_bytes", "page_before",
}  # fmt: skip
"""Texts that may be the same in English."""


def written_in(language: str, one: Invoice | None = None) -> Invoice:
    """A document in that language."""
    one = invoice() if one is None else one
    details = {**one.customer.details, "language": language}
    return replace(one, customer=replace(one.customer, details=details))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_each_text_with_the_same_places(language: str) -> None:
    english, texts = catalogue("en"), catalogue(language)
    assert texts.keys() == english.keys()

    def places(text: str) -> list[str]:
        return sorted(field for _, field, _, _ in Formatter().parse(text) if field)

    assert {key for key in english if places(texts[key]) != places(english[key])} == set()
    if language != "en":
        same = {key for key in english if texts[key] == english[key]}
        assert same <= SAME, "a text that nobody has put into the language"


@pytest.mark.parametrize(
    ("language", "number", "money", "day", "month"),
    [
        ("en", "-1,234,567.50", "-1,234,567.50 EUR", "7 October 2026", "October 2026"),
        ("de", "-1.234.567,50", "-1.234.567,50\u00a0EUR", "7. Oktober 2026", "Oktober 2026"),
        ("fr", "-1\u202f234\u202f567,50", "-1\u202f234\u202f567,50\u00a0EUR", "7 octobre 2026",
         "octobre 2026"),
        ("es", "-1.234.567,50", "-1.234.567,50\u00a0EUR", "7 de octubre de 2026",
         "octubre de 2026"),
        ("zh", "-1,234,567.50", "EUR\u00a0-1,234,567.50", "2026年10月7日", "2026年10月"),
        ("ja", "-1,234,567.50", "EUR\u00a0-1,234,567.50", "2026年10月7日", "2026年10月"),
        ("ar", "\u200e-1,234,567.50", "\u200e-1,234,567.50\u00a0EUR", "7 أكتوبر 2026",
         "أكتوبر 2026"),
    ],
)  # fmt: skip
def test_figures_and_days_follow_the_customs_of_the_language(
    language: str, number: str, money: str, day: str, month: str
) -> None:
    writing = Writing(language=language)
    assert writing.number("-1,234,567.50") == number
    assert writing.money("-1,234,567.50", "EUR") == money
    assert writing.day(date(2026, 10, 7)) == day
    assert writing.month("2026-10") == month


@given(amount=st.integers(-(2**90), 2**90), language=st.sampled_from(LANGUAGES))
def test_no_language_changes_a_digit(amount: int, language: str) -> None:
    english = grouped(exact(amount, "EUR"))
    said = Writing(language=language).number(english)
    assert re.sub(r"\D", "", said) == re.sub(r"\D", "", english)


@pytest.mark.parametrize("language", OTHERS)
def test_a_document_holds_no_english_but_what_people_wrote(language: str) -> None:
    one = written_in(
        language,
        invoice(
            reason="Replaces the void invoice INV-USD-2026-000041",
            standing=AccountStanding(balance_before=CENT, payments_since=0, prepaid_used=CENT),
            lines=(
                line(tier="0–10,000 requests, 5 % off the list price"),
                transfer_line(tier="above 50 TB", leftover=CENT),
                line(line_no=3, reason="flat fee", unit_quantity=0, quantity=0),
            ),
        ),
    )
    shown = page(one)
    texts = [
        shown.title, shown.reason, shown.period, shown.due, *shown.words.values(),
        *(row.label for row in (*shown.totals, *shown.due_rows, *shown.account_rows)),
        *(text for row in shown.lines for text in (row.item, row.region, row.unit, *row.notes)),
        shown.evidence.text if shown.evidence else "", *(row.domain for row in shown.domains),
    ]  # fmt: skip
    english = {"the", "of", "and", "with", "paid", "invoice", "requests", "above", "per", "fee"}
    for text in texts:
        words = set(re.findall(r"[a-z]+", text.lower()))
        assert not words & english, text
    assert shown.is_right_to_left == (language == "ar")
    html = html_document.render(one).decode()
    assert f'<html lang="{language}"' in html
    assert ('dir="rtl"' in html) == (language == "ar")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_credit_note_is_called_one_in_each_language(language: str) -> None:
    shown = page(written_in(language, credit_note()))
    assert shown.title == catalogue(language)["title_credit_note"]
    assert shown.reason == catalogue(language)["voided"].format(reason="wrong address")


@pytest.mark.parametrize(
    ("tier", "german"),
    [
        ("0–10 GB", "0–10 GB"),
        ("10,000–1,000,000 requests", "10.000–1.000.000 Anfragen"),
        ("above 1,000 requests", "über 1.000 Anfragen"),
        ("above 100 GB, 2.5 % off the list price", "über 100 GB, 2,5 % unter dem Listenpreis"),
        ("whole blocks, rounded up", "ganze Blöcke, aufgerundet"),
        ("", ""),
        ("somebody's own words", "somebody's own words"),
    ],
)
def test_tiers_are_said_in_the_language(tier: str, german: str) -> None:
    assert tier_text(tier, Writing(language="de")) == german
    assert tier_text(tier, Writing(language="en")) == tier


def test_what_the_record_says_in_english_is_said_in_the_language() -> None:
    german, japanese = Writing(language="de"), Writing(language="ja")
    assert kept_text("Void: Tippfehler", german) == "Storno: Tippfehler"
    assert kept_text("minimum", japanese) == "最低料金"
    assert unit_words("10,000 requests", german) == "10.000 Anfragen"
    assert unit_words("GB of 1000³ bytes", german) == "GB zu 1000³ Byte"
    assert unit_words("GB", Writing(language="fr")) == "Go"
    assert kept_text("what a person wrote", german) == "what a person wrote"


def test_what_was_agreed_beside_usage_is_said_in_the_language() -> None:
    german, chinese = Writing(language="de"), Writing(language="zh")
    assert kept_text("promotional credit spring-1.5", german) == "Guthabenaktion spring-1.5"
    assert kept_text("missing to commitment deal", chinese) == "最低消费承诺 deal 的差额"
    assert kept_text("plan h10m", german) == "Paket h10m"
    span = "10,000,000 HTTPS requests, 2026-10-20 to 2027-10-20 06:00 UTC"
    assert tier_text(span, german) == (
        "10.000.000 HTTPS-Anfragen, 2026-10-20 bis 2027-10-20 06:00 UTC"
    )
    assert kept_text("commitment, domain moved, late usage", german) == (
        "Mindestabnahme, Domain gehört einem anderen Konto, verspätete Nutzung"
    )


def test_no_cause_that_a_run_writes_is_left_in_english() -> None:
    folders = ("statements/rating", "statements/accounts")
    texts = [sql.text(name) for folder in folders for name in sql.names(folder)]
    causes = {
        cause for text in texts for cause in re.findall(r"'([a-z][a-z -]+)' AS reason,", text)
    }
    for kind, end in itertools.product(
        ("credit", "commitment"),
        {end for text in texts for end in re.findall(r"kind \|\| '( [a-z -]+)' AS reason", text)},
    ):
        causes.add(kind + end)
    causes |= set(re.findall(r"SELECT account_id, \S+, '([a-z ]+)'$", "\n".join(texts), re.M))
    assert {"late usage", "domain moved", "credit back-dated"} < causes
    for cause, language in itertools.product(causes - {"what-if"}, OTHERS):
        assert kept_text(cause, Writing(language=language)) != cause, (cause, language)


def test_the_language_is_the_accounts_then_that_of_all_then_its_countrys() -> None:
    assert language_of("ja", "DE", "en") == "ja"
    assert language_of("", "DE", "fr") == "fr"
    assert language_of("", "DE", "country") == "de"
    assert language_of("", "US", "country") == "en"
    assert set(LANGUAGE_OF_COUNTRY.values()) < set(LANGUAGES)


def test_a_draft_says_so_in_its_language() -> None:
    one = written_in(
        "fr",
        invoice(
            due_on=None,
            issued_at=datetime(2026, 10, 20, tzinfo=UTC),
            notes=(
                "Draft: this shows what would be issued. It is no invoice and asks for nothing.",
                "The month is not over: this is the usage up to 2026-10-20T00:00:00Z only.",
            ),
        ),
    )
    shown = page(one)
    assert shown.title == "Projet de facture"
    assert shown.payment[0].startswith("Projet : il montre")
    assert "2026-10-20T00:00:00Z" in shown.payment[1]
