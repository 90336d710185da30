"""What people are told: subject, what to do until when, and the facts, per kind of event.

Written for the customer who gets it: in their language and time zone, with the money exact to four
decimals (a balance is never shown higher than it is, what is due never lower), and no staff names,
no names of checks. All texts stand in templates/mail.toml, each in every language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from billing.money import DIGITS, floor_to_minor, format_amount, parse_amount
from edge.errors import InputError
from edge.terminal import parse_time, printable

Data = Mapping[str, object]
CATALOGUE = Path(__file__).parent / "templates" / "mail.toml"
SHOWN_DECIMALS = 4
KINDS = (
    "account.ok", "account.low_balance", "account.projected_overdue", "account.overdue",
    "account.suspend_due", "account.suspended", "account.resumed", "account.released",
    "alert.high_bill", "alert.budget", "alert.budget_resolved", "alert.usage_cap",
    "alert.plan_low", "alert.tls_expiry", "alert.tls_renewed", "endpoint.disabled",
    "document.issued", "document.reminder", "document.statement",
)  # fmt: skip
"""The kinds of events that are told by mail."""
# The rules of state_rules in their own words, and the text a customer gets for each.
_REASONS = (
    (r"the balance is below zero", "why_below_zero"),
    (r"the balance is below zero and there is no grace", "why_no_grace"),
    (r"below zero for longer than the grace of (?P<hours>\d+) h", "why_grace_over"),
    (r"suspended for (?P<days>\d+) days: configuration dropped", "why_dropped"),
    (r"the open hours will take the balance below zero", "why_open_hours"),
    (r"less than 3 hours at the mean of the last 7", "why_three_hours"),
    (r"less than the most recent day's payable", "why_day"),
    (r"below the customer's own threshold", "why_threshold"),
)


@cache
def catalogue() -> Mapping[str, Mapping[str, str | list[str]]]:
    """Every text by language and name."""
    with open(CATALOGUE, "rb") as file:
        return tomllib.load(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailReader:
    """Who reads: in which language and in which time zone."""

    language: str = "en"
    timezone: str = "UTC"

    def text(self, name: str, **values: object) -> str:
        """The text of that name in the reader's language, filled in; where it counts something and
        that is one, the text for one.
        """
        texts = catalogue()[self.language]
        one = any(str(value) == "1" for value in values.values())
        found = texts.get(f"{name}_one" if one else name, texts[name])
        assert isinstance(found, str), f"{name} is one text"
        return found.format(**values)

    def time(self, text: object) -> str:
        """A time of an event as this reader writes it."""
        return self.moment(parse_time(text)) if isinstance(text, str) and text else ""

    def date(self, text: object, form: str = "date") -> str:
        """A day of an event, or its month (`month_of`), as this reader writes it."""
        if not isinstance(text, str) or not text:
            return ""
        year, month, day = (int(part) for part in f"{text}-01".split("-")[:3])
        names = catalogue()[self.language]["months"]
        return self.text(form, day=day, month=names[month - 1], year=year)

    def moment(self, at: datetime) -> str:
        """The same of a time."""
        local = at.astimezone(ZoneInfo(self.timezone))
        months = catalogue()[self.language]["months"]
        name = local.tzname() or ""
        offset = local.isoformat()[-6:]
        zone = name if name.isalpha() else f"UTC{offset}"
        return self.text(
            "day",
            day=local.day,
            month=months[local.month - 1],
            year=local.year,
            time=f"{local:%H:%M}",
            zone=zone,
        )


ENGLISH = MailReader()


def subject(kind: str, data: Data, reader: MailReader = ENGLISH) -> str:
    """The subject of a mail of this kind."""
    if kind.startswith("document."):
        name = "reminder" if kind == "document.reminder" else _text(data, "document")
        month = reader.date(data.get("month"), "month_of")
        return reader.text(f"subject_{name}", number=_text(data, "invoice_no"), month=month)
    if kind == "account.resumed" and data.get("previous") == "released":
        return reader.text("subject_resumed_released")
    name = kind.replace("endpoint.disabled", "endpoint_disabled").rpartition(".")[2]
    return reader.text(f"subject_{name}")


def advice(kind: str, data: Data, reader: MailReader = ENGLISH) -> str:
    """What the reader should know or do, in one or two sentences; empty: nothing."""
    write = _ADVICE.get(kind)
    return printable(write(data, reader)) if write else ""


def facts(kind: str, data: Data, reader: MailReader = ENGLISH) -> list[tuple[str, str]]:
    """The figures under it, as labels and values."""
    of_kind = {"account": _money_facts, "document": _document_facts}.get(
        kind.partition(".")[0], _alert_facts
    )
    found = [
        ("account", _text(data, "account_id")),
        *of_kind(kind, data, reader),
        ("why", why(data, reader)),
    ]
    return [(reader.text(name), printable(value)) for name, value in found if value]


def amount(data: Data, name: str) -> str:
    """An amount of the event, to four decimals, never higher than it is."""
    value, currency = data.get(name), data.get("currency")
    if not isinstance(value, str) or not isinstance(currency, str):
        return ""
    step = 10 ** (DIGITS - SHOWN_DECIMALS)
    return f"{format_amount(parse_amount(value) // step * step, currency)} {currency}"


def why(data: Data, reader: MailReader = ENGLISH) -> str:
    """The rule in the customer's words; what a person wrote as it is, without that person's name.

    What the operator alone is concerned with (a check, a run) is not told.
    """
    reason, by = _text(data, "reason"), _text(data, "by")
    if by:
        return reason.removesuffix(f" (by {by})")
    for pattern, name in _REASONS:
        found = re.fullmatch(pattern, reason)
        if found:
            return reader.text(name, **found.groupdict())
    return ""


def _text(data: Data, name: str) -> str:
    value = data.get(name)
    return "" if value is None else str(value)


def _whole(data: Data, name: str) -> int:
    value = data.get(name)
    return value if isinstance(value, int) else 0


def _missing(data: Data, name: str) -> str:
    """What must be paid for a negative amount to be zero: whole minor units, never less."""
    value, currency = _text(data, name), _text(data, "currency")
    if not value or not currency:
        return ""
    owed = max(0, -floor_to_minor(parse_amount(value), currency))
    return f"{format_amount(owed, currency)} {currency}"


def _low(data: Data, reader: MailReader) -> str:
    at = reader.time(data.get("projected_zero_at"))
    until = reader.text("low_until", at=at) if at else ""
    hours = _whole(data, "grace_seconds") // 3600
    if not hours:
        return until + reader.text("low_at_once")
    return until + reader.text("low", hours=reader.text("hours", hours=hours))


def _projected(data: Data, reader: MailReader) -> str:
    owed, hours = _missing(data, "projected"), _whole(data, "grace_seconds") // 3600
    if not hours:
        return reader.text("projected_at_once", amount=owed)
    return reader.text("projected", amount=owed, hours=reader.text("hours", hours=hours))


def _overdue(data: Data, reader: MailReader) -> str:
    at = reader.time(data.get("suspension_at"))
    return reader.text("overdue", amount=amount(data, "amount_due"), at=at)


def _due(data: Data, reader: MailReader) -> str:
    return reader.text("suspend_due", amount=amount(data, "amount_due"))


def _suspended(data: Data, reader: MailReader) -> str:
    if data.get("cause") == "administrative":
        return reader.text("suspended_other")
    said = reader.text("suspended", amount=amount(data, "amount_due"))
    if not (data.get("since") and data.get("release_seconds")):
        return said
    lasts = timedelta(seconds=_whole(data, "release_seconds"))
    end = reader.moment(parse_time(_text(data, "since")) + lasts)
    return said + reader.text("suspended_kept", at=end)


def _released(data: Data, reader: MailReader) -> str:
    return reader.text("released", amount=amount(data, "amount_due"))


def _resumed(data: Data, reader: MailReader) -> str:
    released = data.get("previous") == "released"
    served = reader.text("resumed_released" if released else "resumed")
    if not data.get("overdue_since"):
        return served
    return f"{served}{reader.text('debt_left')} {_overdue(data, reader)}"


def _capped(data: Data, reader: MailReader) -> str:
    at = reader.time(data.get("until"))
    return reader.text("usage_cap", domain=_text(data, "domain"), at=at)


def _budget(data: Data, reader: MailReader, told: str = "") -> str:
    """Of a budget: a share that is spent, is on the way to be, or is no more."""
    on_the_way = data.get("basis") == "projected"
    return reader.text(
        told or ("budget_projected" if on_the_way else "budget_spent"),
        percent=_text(data, "percent"),
        budget=amount(data, "budget"),
        measured=amount(data, "measured"),
    )


def _issued(data: Data, reader: MailReader) -> str:
    month = reader.date(data.get("month"), "month_of")
    if data.get("document") == "credit_note":
        return reader.text("credit_note")
    if not _asks_for_money(data):
        return reader.text("invoice_paid", month=month)
    return reader.text(
        "invoice_due",
        month=month,
        amount=amount(data, "amount_due"),
        day=reader.date(data.get("due_on")),
        number=_text(data, "invoice_no"),
    )


def _reminder(data: Data, reader: MailReader) -> str:
    return reader.text(
        "reminder",
        amount=amount(data, "amount_due"),
        day=reader.date(data.get("due_on")),
        number=_text(data, "invoice_no"),
    )


def _statement(data: Data, reader: MailReader) -> str:
    return reader.text("statement", month=reader.date(data.get("month"), "month_of"))


def _asks_for_money(data: Data) -> bool:
    due = data.get("amount_due")
    return isinstance(due, str) and parse_amount(due) > 0


_ADVICE: dict[str, Callable[[Data, MailReader], str]] = {
    "account.low_balance": _low,
    "account.projected_overdue": _projected,
    "account.overdue": _overdue,
    "account.suspend_due": _due,
    "account.suspended": _suspended,
    "account.released": _released,
    "account.resumed": _resumed,
    "document.issued": _issued,
    "document.reminder": _reminder,
    "document.statement": _statement,
    "alert.high_bill": lambda _data, reader: reader.text("high_bill"),
    "alert.budget": _budget,
    "alert.budget_resolved": lambda data, reader: _budget(data, reader, "budget_resolved"),
    "alert.usage_cap": _capped,
    "alert.plan_low": lambda _data, reader: reader.text("plan_low"),
    "alert.tls_expiry": lambda data, reader: reader.text(
        "tls_expiry", domain=_text(data, "domain")
    ),
    "alert.tls_renewed": lambda data, reader: reader.text(
        "tls_renewed", domain=_text(data, "domain")
    ),
    "endpoint.disabled": lambda data, reader: reader.text(
        "endpoint_disabled", endpoint=_text(data, "endpoint")
    ),
}


def _money_facts(_kind: str, data: Data, reader: MailReader) -> list[tuple[str, str]]:
    in_debt = bool(data.get("overdue_since"))
    burn = data.get("burn_per_hour")
    day = burn.get("last_day") if isinstance(burn, dict) else None
    band = [reader.time(data.get(f"projected_zero_{end}")) for end in ("earliest", "latest")]
    return [
        ("balance", amount(data, "available")),
        ("balance_open", amount(data, "projected")),
        ("to_pay", amount(data, "amount_due") if in_debt else ""),
        ("burn", amount({**data, "day": day}, "day")),
        ("zero", "" if in_debt else _band(band[0], band[1], reader)),
        ("below_since", reader.time(data.get("overdue_since"))),
        ("stops", reader.time(data.get("suspension_at")) if in_debt else ""),
        ("known", reader.time(data.get("usage_through"))),
    ]


def _document_facts(_kind: str, data: Data, reader: MailReader) -> list[tuple[str, str]]:
    used = data.get("prepaid_used")
    has_used = isinstance(used, str) and parse_amount(used) > 0
    asks = _asks_for_money(data)
    return [
        ("document", _text(data, "invoice_no")),
        ("opening_balance", amount(data, "opening_balance")),
        ("closing_balance", amount(data, "closing_balance")),
        ("total", amount(data, "total")),
        ("prepaid_used", amount(data, "prepaid_used") if has_used else ""),
        ("to_pay", amount(data, "amount_due") if asks else ""),
        ("due_on", reader.date(data.get("due_on")) if asks else ""),
    ]


def _band(earliest: str, latest: str, reader: MailReader) -> str:
    """The span of a forecast; empty where it has no end."""
    if not earliest or not latest:
        return ""
    if earliest == latest:
        return earliest
    return reader.text("span", earliest=earliest, latest=latest)


def _alert_facts(kind: str, data: Data, reader: MailReader) -> list[tuple[str, str]]:
    if kind == "endpoint.disabled":
        return [("endpoint", _text(data, "endpoint")), ("since", reader.time(data.get("since")))]
    if kind.startswith("alert.tls_"):
        return [
            ("domain", _text(data, "domain")),
            ("expires", reader.time(data.get("expires"))),
            ("issuer", _text(data, "issuer")),
        ]
    if kind in ("alert.high_bill", "alert.budget", "alert.budget_resolved"):
        figures = (amount(data, "measured"), amount(data, "limit"))
    elif kind == "alert.usage_cap":
        measured, limit = _text(data, "measured"), _text(data, "limit")
        figures = (reader.text("requests", count=measured), reader.text("requests", count=limit))
    else:
        figures = (_quantity(data, "measured", reader), _quantity(data, "limit", reader))
    left = kind == "alert.plan_low"
    period = _text(data, "subject").split(" ")[0]
    return [
        ("plan", _text(data, "subject")) if left else ("since", _period(period, reader)),
        ("domain", _text(data, "domain")),
        ("left" if left else "measured", figures[0]),
        ("told_below" if left else "limit", figures[1]),
        ("rule", _text(data, "rule_id")),
    ]


def _quantity(data: Data, name: str, reader: MailReader) -> str:
    """What is left of a plan, in its own unit."""
    text = _text(data, name)
    if data.get("unit") != "bytes" or not text.isdecimal():
        return reader.text("requests", count=text)
    return f"{int(text) // 1024**3} GB"


def _period(subject: str, reader: MailReader) -> str:
    try:
        return reader.time(subject)
    except InputError:
        return subject
