"""What an account's documents say besides name and address: terms of payment, the customer's own
references, and what an e-invoice is addressed by.
"""

from __future__ import annotations

import json
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel

from billing.accounts.languages import LANGUAGES
from billing.text_rules import check_email
from billing.vat.profiles import PROFILES

_TERMS = re.compile(r"(end of month \+ )?(0|[1-9]\d{0,2}) days?", re.ASCII)
_ENDPOINT = re.compile(r"(\d{4}|EM):\S{1,60}", re.ASCII)


def check_terms(text: str) -> str:
    """`text` itself if it is blank or terms of payment; else ValueError."""
    if text and not _TERMS.fullmatch(text):
        raise ValueError('write terms as "30 days" or "end of month + 15 days"')
    return text


def check_profile(text: str) -> str:
    """`text` itself if it is blank or a profile of e-invoices; else ValueError."""
    if text and text not in PROFILES:
        raise ValueError(f"{text!r} is no e-invoice: one of {', '.join(PROFILES)}")
    return text


def check_language(text: str) -> str:
    """`text` itself if it is blank or a language of documents; else ValueError."""
    if text and text not in LANGUAGES:
        raise ValueError(f"{text!r} is no language of documents: one of {', '.join(LANGUAGES)}")
    return text


def check_endpoint(text: str) -> str:
    """`text` itself if it is blank or an electronic address with its scheme; else ValueError."""
    if text and not _ENDPOINT.fullmatch(text):
        raise ValueError('write an electronic address as SCHEME:ID, "9930:DE123456789"')
    return text


class DocumentFields(BaseModel):
    """The fields of an account's row that only its documents read; all may be left out.

    `seller`: which of [invoices.sellers] issues them; `language`: theirs and that of mails;
    `tax_rule`: the row of HOME/tax.toml that holds, whatever the others say; `cost_tag`: the tag of
    domains by which the appendix shares out what it costs.
    """

    payment_terms: Annotated[str, AfterValidator(check_terms)] = ""
    purchase_order: str = ""
    cost_center: str = ""
    contract: str = ""
    buyer_reference: str = ""
    postcode: str = ""
    city: str = ""
    endpoint: Annotated[str, AfterValidator(check_endpoint)] = ""
    tax_exemption: str = ""
    invoice_email: Annotated[str, AfterValidator(check_email)] = ""
    e_invoice: Annotated[str, AfterValidator(check_profile)] = ""
    seller: str = ""
    language: Annotated[str, AfterValidator(check_language)] = ""
    tax_rule: str = ""
    cost_tag: str = ""


DETAILS = tuple(DocumentFields.model_fields)


def details_of(row: object) -> str | None:
    """What a row of an account says of its documents, as JSON with its keys in order; None:
    nothing. Kept as one text: no rule but that of the due date reads it, and fields come and go.
    """
    said = {name: text for name in DETAILS if (text := str(getattr(row, name)).strip())}
    return json.dumps(said, ensure_ascii=False, sort_keys=True) if said else None
