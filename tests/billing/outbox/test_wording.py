"""What customers are told, for each kind of event: what happened, what to pay, until when."""

from __future__ import annotations

import inspect
import re
from string import Formatter
from typing import Any, get_args

import orjson
import pytest

from billing.accounts.languages import LANGUAGE_OF_COUNTRY
from billing.balance import state_rules
from billing.invoices.settings import Seller
from billing.outbox import mail, wording
from billing.outbox.settings import Language
from billing.outbox.wording import MailReader

DEBT: dict[str, Any] = {
    "account_id": "acme",
    "state": "overdue",
    "previous": "ok",
    "currency": "USD",
    "available": "-2.6450000001",
    "projected": "-3.00",
    "amount_due": "2.65",
    "overdue_since": "2026-03-01T10:00:00Z",
    "suspension_at": "2026-03-02T10:00:00Z",
    "since": "2026-03-01T10:00:00Z",
    "grace_seconds": 86_400,
    "release_seconds": 30 * 86_400,
    "reason": "below zero (by ann)",
    "by": "ann",
}
FUNDED = {**DEBT, "available": "1.239", "projected": "1.00", "overdue_since": None}
ALERT = {
    "account_id": "acme", "rule_id": "r1", "subject": "2026-03-01T00:00Z www.a.example",
    "domain": "www.a.example", "measured": "420", "limit": "400", "currency": None, "unit": None,
    "until": "2026-03-02T03:10:00Z",
}  # fmt: skip
DOCUMENT = {
    "invoice_no": "INV-USD-2026-000042", "document": "invoice", "month": "2026-10",
    "due_on": "2026-11-15", "total": "3.00", "prepaid_used": "0.35",
}  # fmt: skip
ZERO = {
    "projected_zero_at": "2026-03-02T08:00:00Z",
    "projected_zero_earliest": "2026-03-02T06:00:00Z",
    "projected_zero_latest": "2026-03-03T06:00:00Z",
}
PLAN = {**ALERT, "domain": None, "subject": "plan-1", "unit": "bytes"}
SAID = [
    ("account.low_balance", {**FUNDED, **ZERO}, "used up on 02 March 2026, 08:00 UTC"),
    ("account.low_balance", {**FUNDED, **ZERO}, "24 hours after the balance has fallen below"),
    ("account.low_balance", {**FUNDED, "grace_seconds": 0}, "Below zero, your whole CDN service"),
    ("account.projected_overdue", {**FUNDED, "projected": "-0.501"}, "pay at least 0.51 USD now"),
    ("account.overdue", DEBT, "pay at least 2.65 USD by 02 March 2026, 10:00 UTC"),
    ("account.overdue", DEBT, "whatever is left of data plans"),
    ("account.suspend_due", DEBT, "2.65 USD now: the grace has ended"),
    ("account.suspended", DEBT, "comes back by itself. Your configuration is kept until 31 March"),
    ("account.suspended", {**DEBT, "cause": "administrative"}, "payment does not change that"),
    ("account.released", DEBT, "contact us to set the domains up again"),
    ("account.resumed", FUNDED, "being served again"),
    ("account.resumed", {**FUNDED, "previous": "released"}, "contact us to set up your domains"),
    ("account.resumed", DEBT, "A debt is left. Please pay at least 2.65 USD by 02 March"),
    ("alert.usage_cap", ALERT, "www.a.example is off until 02 March 2026, 03:10 UTC"),
    ("alert.plan_low", PLAN, "charged to your balance"),
]


@pytest.mark.parametrize(("kind", "data", "words"), SAID)
def test_each_message_says_what_to_do_until_when(kind: str, data: Any, words: str) -> None:
    assert words in wording.advice(kind, data)


def test_amounts_never_make_a_balance_higher_or_a_debt_lower_and_staff_stay_unnamed() -> None:
    shown = dict(wording.facts("account.overdue", DEBT))
    assert shown["Balance, with credit limit"] == "-2.6451 USD"
    assert shown["To be paid"] == "2.65 USD"
    assert shown["Why"] == "below zero"
    assert dict(wording.facts("account.low_balance", FUNDED))["Balance, with credit limit"] == (
        "1.239 USD"
    )


def test_a_forecast_is_told_with_its_band_and_a_plan_in_its_own_unit() -> None:
    shown = dict(wording.facts("account.low_balance", {**FUNDED, **ZERO}))
    assert shown["Expected to reach zero"] == (
        "between 02 March 2026, 06:00 UTC and 03 March 2026, 06:00 UTC"
    )
    low = {**PLAN, "measured": str(450 * 2**30), "limit": str(495 * 2**30)}
    assert dict(wording.facts("alert.plan_low", low))["Left of the plan"] == "450 GB"


@pytest.mark.parametrize("kind", wording.KINDS)
def test_every_kind_makes_a_letter_with_text_and_html_and_no_markup_of_a_name(kind: str) -> None:
    data = {**DEBT, **ALERT, **DOCUMENT, "endpoint": "webhook:crm", "since": DEBT["since"]}
    body = orjson.dumps({"type": kind, "timestamp": DEBT["since"], "data": data}).decode()
    letter = mail.Letter(
        event_id="msg_1", kind=kind, body=body, customer="c@x.example",
        operators=("ops@x.example",), name="A<script>\r\nBcc: e@x.example",
    )  # fmt: skip
    made = mail.compose(letter, sender="s@x.example")
    plain, html = made.get_body(("plain",)), made.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert made["To"] == "c@x.example"
    assert made["Bcc"] is None
    assert "<script>" not in html.get_content()
    assert wording.subject(kind, data) in plain.get_content()


@pytest.mark.parametrize(
    ("exact", "shown"),
    [("0.1667", "0.1667"), ("0.16666666", "0.1666"), ("-0.16661", "-0.1667"), ("5", "5.00"),
     ("0.5", "0.50"), ("957.25", "957.25")],
)  # fmt: skip
def test_p5_amounts_are_not_cut_to_cents_and_a_balance_is_never_shown_higher(
    exact: str, shown: str
) -> None:
    assert wording.amount({"a": exact, "currency": "USD"}, "a") == f"{shown} USD"


def test_p5_every_text_stands_in_every_language_and_asks_for_the_same_values() -> None:
    english = wording.catalogue()["en"]
    for language, texts in wording.catalogue().items():
        assert texts.keys() == english.keys(), language
        for name, text in texts.items():
            assert text, (language, name)
            if isinstance(text, list):
                assert len(text) == 12
                continue
            asked = [field for _, field, _, _ in Formatter().parse(str(english[name])) if field]
            found = [field for _, field, _, _ in Formatter().parse(text) if field]
            assert sorted(found) == sorted(asked), (language, name)
    assert set(get_args(Language)) == wording.catalogue().keys()
    assert set(LANGUAGE_OF_COUNTRY.values()) < wording.catalogue().keys()


@pytest.mark.parametrize("language", sorted(wording.catalogue()))
@pytest.mark.parametrize("kind", wording.KINDS)
def test_p5_each_message_is_told_in_each_language_and_in_the_customers_own_time(
    kind: str, language: str
) -> None:
    reader = MailReader(language=language, timezone="Asia/Shanghai")
    data = {**ALERT, **DEBT, **DOCUMENT, "endpoint": "webhook:crm"}
    told = [wording.subject(kind, data, reader), wording.advice(kind, data, reader)]
    told += [part for fact in wording.facts(kind, data, reader) for part in fact]
    assert "{" not in "".join(told)
    if kind == "account.overdue":
        assert "18:00" in told[1], "10:00 UTC is 18:00 in Shanghai"
        assert "2.65 USD" in told[1]
    if language != "en":
        assert told[0] != wording.subject(kind, data)


@pytest.mark.parametrize("language", sorted(wording.catalogue()))
def test_p10_one_is_one_in_every_language(language: str) -> None:
    reader = MailReader(language=language)
    for name, value in (("hours", "hours"), ("requests", "count"), ("why_grace_over", "hours")):
        one, two = (reader.text(name, **{value: number}) for number in (1, 2))
        assert (one == two.replace("2", "1")) == (language in ("zh", "ja")), (one, two)
    dropped = {"reason": "suspended for 1 days: configuration dropped"}
    assert wording.why(dropped, reader) == reader.text("why_dropped", days="1") != ""


def test_p5_zones_without_a_name_show_their_offset_and_others_their_name() -> None:
    at = "2026-07-01T10:00:00Z"
    assert MailReader(timezone="Europe/Berlin").time(at) == "01 July 2026, 12:00 CEST"
    assert MailReader(timezone="America/Sao_Paulo").time(at) == "01 July 2026, 07:00 UTC-03:00"
    assert (
        MailReader(language="zh", timezone="Asia/Shanghai").time(at) == "2026年7月1日 18:00（CST）"
    )


def test_p5_a_rule_is_told_in_the_customers_words_and_the_operators_affairs_are_not() -> None:
    def told(reason: str, **more: str) -> str:
        return wording.why({"reason": reason, **more})

    assert told("below the customer's own threshold") == (
        "Your balance is below the threshold you set."
    )
    assert told("below zero for longer than the grace of 24 h") == (
        "The balance has been below zero for longer than the grace of 24 hours."
    )
    assert told("reminded twice (by ann)", by="ann") == "reminded twice"
    for inner in ("check is red: ledger_sums_to_zero: 1 row", "run R00000042 is held", "anything"):
        assert told(inner) == ""


def test_p5_every_reason_of_the_rules_that_a_customer_reads_has_its_text() -> None:
    """A new rule without a text for customers fails here."""
    source = inspect.getsource(state_rules)
    said = re.findall(r'(?:State\.[A-Z_]+|due|held), f?"([^"]+)"', source)
    assert len(said) >= 7
    for reason in said:
        filled = re.sub(r"\{[^}]*\}", "24", reason)
        assert wording.why({"reason": filled}), filled


def test_p5_a_mail_that_asks_for_money_says_how_to_pay_whom_and_who_answers() -> None:
    seller = Seller(
        name="Nimbus CDN", address=("1 Way",), email="help@nimbus.example",
        payment=("https://pay.nimbus.example/acme", "IBAN XX00"),
    )  # fmt: skip
    body = orjson.dumps({"timestamp": DEBT["since"], "data": DEBT}).decode()
    made = {}
    for kind, country in (("account.overdue", "de"), ("account.ok", "en")):
        letter = mail.Letter(
            event_id="msg_1", kind=kind, body=body, customer="c@x.example", operators=(),
            name="Acme", reader=MailReader(language=country), seller=seller,
        )  # fmt: skip
        for part in mail.compose(letter, sender="s@x.example").iter_parts():
            made[kind, part.get_content_type()] = part.get_content()
    for shown in (made["account.overdue", "text/plain"], made["account.overdue", "text/html"]):
        for words in ("https://pay.nimbus.example/acme", "IBAN XX00", "Nimbus CDN",
                      "help@nimbus.example", "So zahlen Sie", "2.65 USD"):  # fmt: skip
            assert words in shown
