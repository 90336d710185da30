"""What stands in a document's own record is in English, since it is kept and hashed: reasons, tiers
and units. Here they are said in the document's language; an unknown text stays as it is.
"""

from __future__ import annotations

import re

from billing.invoices.wording.writing import ENGLISH, Writing

_WHOLE = {
    "flat fee": "flat_fee",
    "minimum": "minimum",
    "maximum": "maximum",
    "fixed fee, minimum or maximum": "fixed_terms",
    "late usage": "late_usage",
    "promotional credit": "promotional_credit",
    "commitment": "commitment",
    "plan price": "plan_price",
    "account opened": "account_opened",
    "account opened or closed otherwise": "account_dates",
    "account terms changed": "terms_changed",
    "price found": "price_found",
    "price corrected": "price_corrected",
    "method changed": "method_changed",
    "domain moved": "domain_moved",
    "plan put right": "plan_put_right",
    "plan back-dated": "plan_back_dated",
    "credit put right": "credit_put_right",
    "credit back-dated": "credit_back_dated",
    "commitment put right": "commitment_put_right",
    "commitment back-dated": "commitment_back_dated",
    "whole blocks, rounded up": "whole_blocks",
    "volume price": "volume_price",
    "price of the step reached in each period": "step_price",
    "request": "one_request",
    "GB of 1000³ bytes": "gigabyte_of",
    "TB of 1000⁴ bytes": "terabyte_of",
    "Corrections of earlier months are more than this month costs": "below_zero",
    "Draft: this shows what would be issued. It is no invoice and asks for nothing.": "draft_note",
}
_FORMS = (
    (re.compile(r"Replaces the void invoice (?P<invoice>\S+)"), "replaces_void"),
    (re.compile(r"Void: (?P<reason>.+)"), "voided"),
    (re.compile(r"The month is not over: this is the usage up to (?P<at>\S+) only\."),
     "early_note"),
    (re.compile(r"promotional credit (?P<document>\S+)"), "move_promotional_credit"),
    (re.compile(r"missing to commitment (?P<name>\S+)"), "missing_to_commitment"),
    (re.compile(r"plan (?P<name>\S+)"), "plan_named"),
    (re.compile(r"(?P<count>[\d,]+) HTTPS requests, (?P<first>\S+) to (?P<until>\S+ \S+) UTC"),
     "plan_of_requests"),
    (re.compile(r"(?P<count>[\d,]+) bytes, (?P<first>\S+) to (?P<until>\S+ \S+) UTC"),
     "plan_of_bytes"),
    (re.compile(r"(?P<percent>[\d.]+) % off the list price"), "off_list_price"),
)  # fmt: skip
_FIGURES = frozenset({"count", "percent"})
_ALONE = {"GB": "gigabytes", "TB": "terabytes", "Mbps": "megabits"}
_RANGE = re.compile(r"(?P<above>above )?(?P<lower>[\d,]+)(?:–(?P<upper>[\d,]+))? (?P<unit>\w+)")


def kept_text(text: str, writing: Writing) -> str:
    """A text of the record in the document's language; of several causes each."""
    if writing.language == ENGLISH or not text:
        return text
    whole = _kept(text, writing)
    if whole is None and all(part in _WHOLE for part in text.split(", ")):
        return writing.said("comma").join(writing.said(_WHOLE[part]) for part in text.split(", "))
    return text if whole is None else whole


def _kept(text: str, writing: Writing) -> str | None:
    if text in _WHOLE:
        return writing.said(_WHOLE[text])
    for form, key in _FORMS:
        if found := form.fullmatch(text):
            values = {
                name: writing.number(value) if name in _FIGURES else value
                for name, value in found.groupdict().items()
            }
            return writing.said(key, **values)
    return None


def tier_text(tier: str, writing: Writing) -> str:
    """A tier: its bounds, and what is off the list price (`0–10 GB, 5 % off the list price`)."""
    if writing.language == ENGLISH:
        return tier
    if (whole := _kept(tier, writing)) is not None:
        return whole
    return ", ".join(_bounds(part, writing) for part in tier.split(", ")) if tier else tier


def unit_words(unit: str, writing: Writing) -> str:
    """A price's unit: `10,000 requests`, `GB`."""
    if writing.language == ENGLISH:
        return unit
    if unit in _ALONE:
        return writing.said(_ALONE[unit], count="").strip()
    return kept_text(unit, writing) if unit in _WHOLE else writing.measure(unit)


def _bounds(part: str, writing: Writing) -> str:
    found = _RANGE.fullmatch(part)
    if found is None:
        return kept_text(part, writing)
    if found["upper"]:
        lower, upper = (writing.number(found[name]) for name in ("lower", "upper"))
        said = writing.measure(f"{found['upper']} {found['unit']}")
        return said.replace(upper, f"{lower}–{upper}", 1)
    bound = writing.measure(f"{found['lower']} {found['unit']}")
    return writing.said("above", bound=bound) if found["above"] else bound
