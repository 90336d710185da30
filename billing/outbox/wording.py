"""What people are told: subject, what to do until when, and the facts, per kind of event.

Written for the customer who gets it: amounts in whole minor units with their currency (a balance
is never shown higher than it is, what is due never lower), times in UTC, and no staff names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from billing.money import floor_to_minor, format_amount, parse_amount
from edge.errors import InputError
from edge.terminal import parse_time, printable

Data = Mapping[str, object]

SUBJECTS = {
    "account.ok": "Your balance is sufficient again",
    "account.low_balance": "Your balance is low",
    "account.projected_overdue": "Your balance will not cover the usage not billed yet",
    "account.overdue": "Your balance is below zero",
    "account.suspend_due": "Your service is due to be suspended",
    "account.suspended": "Your service has been suspended",
    "account.resumed": "Your service is back",
    "account.released": "Your configuration has been dropped",
    "alert.high_bill": "Your bill has reached the limit you set",
    "alert.usage_cap": "A domain has reached the request limit you set",
    "alert.plan_low": "A plan is running low",
    "endpoint.disabled": "A webhook endpoint has been switched off",
}
WHOLE = "your whole CDN service stops, whatever is left of data plans"


def subject(kind: str, data: Data) -> str:
    """The subject of a mail of this kind."""
    if kind == "account.resumed" and data.get("previous") == "released":
        return "Your account is no longer suspended"
    return SUBJECTS[kind]


def advice(kind: str, data: Data) -> str:
    """What the reader should know or do, in one or two sentences; empty: nothing."""
    write = _ADVICE.get(kind)
    return printable(write(data)) if write else ""


def facts(kind: str, data: Data) -> list[tuple[str, str]]:
    """The figures under it, as labels and values."""
    found = [
        ("Account", _text(data, "account_id")),
        *(_money_facts(data) if kind.startswith("account.") else _alert_facts(kind, data)),
        ("Why", _why(data)),
    ]
    return [(label, printable(value)) for label, value in found if value]


def time_text(text: object) -> str:
    """A time of an event as people read it."""
    return f"{parse_time(text):%d %B %Y, %H:%M} UTC" if isinstance(text, str) and text else ""


def amount(data: Data, name: str) -> str:
    """An amount of the event in whole minor units of its currency."""
    value, currency = data.get(name), data.get("currency")
    if not isinstance(value, str) or not isinstance(currency, str):
        return ""
    return f"{format_amount(floor_to_minor(parse_amount(value), currency), currency)} {currency}"


def _text(data: Data, name: str) -> str:
    value = data.get(name)
    return "" if value is None else str(value)


def _whole(data: Data, name: str) -> int:
    value = data.get(name)
    return value if isinstance(value, int) else 0


def _why(data: Data) -> str:
    """The rule in words, without the name of who decided: that is for the operator's own record."""
    reason, by = _text(data, "reason"), _text(data, "by")
    return reason.removesuffix(f" (by {by})") if by else reason


def _debt(data: Data) -> str:
    return f"Please pay at least {amount(data, 'amount_due')}"


def _grace(data: Data) -> str:
    hours = _whole(data, "grace_seconds") // 3600
    return f"{hours} hours" if hours else ""


def _low(data: Data) -> str:
    at = time_text(data.get("projected_zero_at"))
    when = f"At the present pace your balance is used up on {at}. " if at else ""
    grace = _grace(data)
    after = f"{grace} after the balance has fallen below zero" if grace else "Below zero"
    return f"{when}Please top up before. {after}, {WHOLE}."


def _projected(data: Data) -> str:
    grace = _grace(data)
    then = f"{grace} after that " if grace else "Then "
    return (
        f"The hours that are still being counted cost more than your balance. Please pay at least"
        f" {_missing(data, 'projected')} now. When they are billed the balance is below zero;"
        f" {then}{WHOLE}."
    )


def _missing(data: Data, name: str) -> str:
    """What must be paid for a negative amount to be zero: never less, so floored while negative."""
    return amount(data, name).removeprefix("-")


def _overdue(data: Data) -> str:
    at = time_text(data.get("suspension_at"))
    return f"{_debt(data)} by {at}. If the balance is still below zero then, {WHOLE}."


def _due(data: Data) -> str:
    return f"{_debt(data)} now: the grace has ended, and at any moment {WHOLE}."


def _suspended(data: Data) -> str:
    if data.get("cause") == "administrative":
        return "All your domains are off. A payment does not change that: please contact us."
    kept = ""
    if data.get("since") and data.get("release_seconds"):
        lasts = timedelta(seconds=_whole(data, "release_seconds"))
        end = parse_time(_text(data, "since")) + lasts
        kept = f" Your configuration is kept until {end:%d %B %Y, %H:%M} UTC."
    return (
        f"All your domains are off, whatever is left of data plans. {_debt(data)}: the service"
        f" comes back by itself.{kept}"
    )


def _released(data: Data) -> str:
    return (
        f"The account stayed suspended, and the configuration of its domains has been dropped."
        f" {_debt(data)} and contact us to set the domains up again."
    )


def _resumed(data: Data) -> str:
    served = "All your domains are being served again; this can take a few minutes."
    if data.get("previous") == "released":
        served = "The configuration had been dropped: please contact us to set up your domains."
    if not data.get("overdue_since"):
        return served
    return f"{served} A debt is left. {_overdue(data)}"


def _capped(data: Data) -> str:
    return (
        f"{_text(data, 'domain')} is off until {time_text(data.get('until'))} and comes back by"
        " itself. Your other domains are not touched."
    )


_ADVICE: dict[str, Callable[[Data], str]] = {
    "account.low_balance": _low,
    "account.projected_overdue": _projected,
    "account.overdue": _overdue,
    "account.suspend_due": _due,
    "account.suspended": _suspended,
    "account.released": _released,
    "account.resumed": _resumed,
    "alert.high_bill": lambda _data: "Your service goes on; please look at your usage.",
    "alert.usage_cap": _capped,
    "alert.plan_low": lambda _data: (
        "What the plan does not cover is charged to your balance: please buy another in time."
    ),
    "endpoint.disabled": lambda data: (
        "Nothing is sent there any more. When its owner has put it right:"
        f" edgetoll billing alerts --enable {_text(data, 'endpoint')}"
    ),
}


def _money_facts(data: Data) -> list[tuple[str, str]]:
    in_debt = bool(data.get("overdue_since"))
    burn = data.get("burn_per_hour")
    day = burn.get("last_day") if isinstance(burn, dict) else None
    band = [time_text(data.get(f"projected_zero_{end}")) for end in ("earliest", "latest")]
    return [
        ("Balance, with credit limit", amount(data, "available")),
        ("Balance once the open hours are billed", amount(data, "projected")),
        ("To be paid", amount(data, "amount_due") if in_debt else ""),
        ("Spent per hour, over the last day", amount({**data, "day": day}, "day")),
        ("Expected to reach zero", "" if in_debt else _band(*band)),
        ("Below zero since", time_text(data.get("overdue_since"))),
        ("Service stops", time_text(data.get("suspension_at")) if in_debt else ""),
        ("Usage known through", time_text(data.get("usage_through"))),
    ]


def _band(earliest: str, latest: str) -> str:
    """The span of a forecast; empty where it has no end."""
    if not earliest or not latest:
        return ""
    return earliest if earliest == latest else f"between {earliest} and {latest}"


def _alert_facts(kind: str, data: Data) -> list[tuple[str, str]]:
    if kind == "endpoint.disabled":
        return [("Endpoint", _text(data, "endpoint")), ("Since", time_text(data.get("since")))]
    if kind == "alert.high_bill":
        figures = (amount(data, "measured"), amount(data, "limit"))
    elif kind == "alert.usage_cap":
        figures = (f"{_text(data, 'measured')} requests", f"{_text(data, 'limit')} requests")
    else:
        figures = (_quantity(data, "measured"), _quantity(data, "limit"))
    left = kind == "alert.plan_low"
    period = _text(data, "subject").split(" ")[0]
    return [
        ("Plan", _text(data, "subject")) if left else ("Since", _period(period)),
        ("Domain", _text(data, "domain")),
        ("Left of the plan" if left else "Measured", figures[0]),
        ("You asked to be told below" if left else "Your limit", figures[1]),
        ("Your rule", _text(data, "rule_id")),
    ]


def _quantity(data: Data, name: str) -> str:
    """What is left of a plan, in its own unit."""
    text = _text(data, name)
    if data.get("unit") != "bytes" or not text.isdecimal():
        return f"{text} {_text(data, 'unit')}".strip()
    return f"{int(text) // 1024**3} GB"


def _period(subject: str) -> str:
    try:
        return time_text(subject)
    except InputError:
        return subject
