"""What customers are told, for each kind of event: what happened, what to pay, until when."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from billing.outbox import mail, wording

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
    assert shown["Balance, with credit limit"] == "-2.65 USD"
    assert shown["Why"] == "below zero"
    assert dict(wording.facts("account.low_balance", FUNDED))["Balance, with credit limit"] == (
        "1.23 USD"
    )


def test_a_forecast_is_told_with_its_band_and_a_plan_in_its_own_unit() -> None:
    shown = dict(wording.facts("account.low_balance", {**FUNDED, **ZERO}))
    assert shown["Expected to reach zero"] == (
        "between 02 March 2026, 06:00 UTC and 03 March 2026, 06:00 UTC"
    )
    low = {**PLAN, "measured": str(450 * 2**30), "limit": str(495 * 2**30)}
    assert dict(wording.facts("alert.plan_low", low))["Left of the plan"] == "450 GB"


@pytest.mark.parametrize("kind", sorted(wording.SUBJECTS))
def test_every_kind_makes_a_letter_with_text_and_html_and_no_markup_of_a_name(kind: str) -> None:
    data = {**DEBT, **ALERT, "endpoint": "webhook:crm", "since": DEBT["since"]}
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
