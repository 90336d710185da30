"""Rates of tax as data: HOME/tax.toml, dated, by the countries of seller and customer.

    [[tax]]
    id = "ie-standard"               # rows of one id follow each other by date
    seller = ["IE"]
    customer = ["IE"]                # or "EU": its members, "*": all others; the closest counts
    buyer = "any"                    # or "business" (has a tax id), "consumer"
    effective_from = 2021-03-01
    rate_percent = "23"

What no row is for is said, never guessed. Source: DOMAIN §10.15; Directive 2006/112/EC, articles
44, 45, 58 and 196.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from billing.vat.category import EU_COUNTRIES, EU_TAX_IDS, TaxCategory
from billing.vat.tax_id import why_wrong
from edge.configfile import read_toml
from edge.errors import ConfigError

FILE = "tax.toml"
STEP = Decimal("0.0001")
HINT = f"add a row that is for it to {FILE}, or name one by `tax_rule` of the account"
Place = Annotated[str, Field(pattern=r"^([A-Z]{2}|EU|\*)$")]
Buyer = Literal["business", "consumer"]


def _percent(value: object) -> Decimal:
    """A percentage from 0 to 100 with four decimals at most, written as text."""
    try:
        percent = Decimal(value) if isinstance(value, str) else Decimal("NaN")
    except ArithmeticError:
        percent = Decimal("NaN")
    if not percent.is_finite() or not 0 <= percent <= 100 or percent % STEP:
        raise ValueError('write a rate from "0" to "100" in quotes, with at most four decimals')
    return percent


class TaxRule(BaseModel):
    """One dated row. `sentence`: what the law asks to be said where there is no tax, in one text or
    by language, English among them; `code`: its code in EN 16931 (VATEX-…).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=64)
    seller: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = Field(min_length=1)
    """Countries, or "EU" for any of its members."""
    customer: tuple[Place, ...] = Field(min_length=1)
    buyer: Literal["any", "business", "consumer"] = "any"
    effective_from: date
    rate_percent: Annotated[Decimal, BeforeValidator(_percent)]
    category: Literal["S", "Z", "E", "AE", "O"] = "S"
    sentence: str | dict[str, str] = ""
    code: str = ""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if (self.category == "S") != (self.rate_percent > 0):
            raise ValueError("category S has a rate above zero, and every other the rate 0")
        if self.category in ("E", "AE", "O") and not self.said("en"):
            raise ValueError(
                "where there is no tax a sentence says why: `sentence`, in English too"
            )
        return self

    @property
    def sellers(self) -> frozenset[str]:
        """The countries of sellers that it is for."""
        members = EU_COUNTRIES if "EU" in self.seller else frozenset()
        return members | (frozenset(self.seller) - {"EU"})

    def said(self, language: str) -> str:
        """The sentence in a language, where it has none in that one in English."""
        if isinstance(self.sentence, str):
            return self.sentence
        return self.sentence.get(language) or self.sentence.get("en", "")


class TaxTable(BaseModel):
    """All rows of HOME/tax.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tax: tuple[TaxRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_decided(self) -> Self:
        seen: dict[tuple[str, str, str, date], str] = {}
        for rule in self.tax:
            for seller in sorted(rule.sellers):
                for customer in rule.customer:
                    key = (seller, customer, rule.buyer, rule.effective_from)
                    if key in seen:
                        raise ValueError(
                            f"{rule.id} and {seen[key]} are both for {seller} to {customer}"
                            f" ({rule.buyer}) from {rule.effective_from}"
                        )
                    seen[key] = rule.id
        dated = [(rule.id, rule.effective_from) for rule in self.tax]
        if len(set(dated)) != len(dated):
            twice = next(one for one in dated if dated.count(one) > 1)
            raise ValueError(f"{twice[0]} stands twice from {twice[1]}")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCase:
    """What the tax of an account is decided by, on the last day of a month.

    `own_rate`: the account's `tax_rate_percent`; `rule_id`: the rule that it names itself.
    """

    day: date
    seller: str
    country: str
    tax_id: str
    exemption: str
    rule_id: str
    own_rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownTax:
    """Why nobody can say what tax a case has, and what to do about it."""

    problem: str
    hint: str = HINT


def read_tax_table(home: Path) -> TaxTable | None:
    """The rows of HOME/tax.toml; None where there is no such file: then each account's own
    `tax_rate_percent` counts. ConfigError names the key that is wrong.
    """
    path = home.joinpath(FILE)
    if not path.exists():
        return None
    if not path.is_file():
        raise ConfigError(f"{path} is not a file", "it holds [[tax]] rows, or is not there")
    return read_toml(path, TaxTable)


def decide(case: TaxCase, table: TaxTable, language: str) -> TaxCategory | UnknownTax:
    """The category and rate of a case; UnknownTax where no row, or more than one, is for it."""
    if case.exemption:
        found = TaxCategory(code="E", percent=Decimal(0), reason=case.exemption)
    else:
        rule = _named(case, table) if case.rule_id else _fitting(case, table)
        if isinstance(rule, UnknownTax):
            return rule
        found = TaxCategory(
            code=rule.category,
            percent=rule.rate_percent,
            reason=rule.said(language),
            reason_code=rule.code,
        )
    own = case.own_rate
    if own and own != found.percent and not case.rule_id:
        return UnknownTax(
            problem=f"its own tax_rate_percent is {own.normalize():f}, {FILE} says"
            f" {found.percent.normalize():f}",
            hint=f"correct the one or the other; `tax_rule` of the account names the row of {FILE}"
            " that is right",
        )
    return found


def _named(case: TaxCase, table: TaxTable) -> TaxRule | UnknownTax:
    rows = [one for one in table.tax if one.id == case.rule_id]
    rule = _newest(rows, case.day)
    if rule is not None:
        return rule
    what = f"before {min(one.effective_from for one in rows)}" if rows else "of that id"
    return UnknownTax(problem=f"it names tax_rule {case.rule_id!r}, and {FILE} has no row {what}")


def _fitting(case: TaxCase, table: TaxTable) -> TaxRule | UnknownTax:
    """The one rule for the case, asked for both kinds of buyer where the tax id leaves it open."""
    if not case.seller:
        return UnknownTax(
            problem="the seller's country is not known",
            hint="set `country` of the seller in edgetoll.toml",
        )
    if len(case.country) != 2:
        said = f"its country {case.country!r} is no code of two letters"
        return UnknownTax(
            problem=said if case.country else "it has no country",
            hint='load the account again with `country`, "DE" for example',
        )
    wrong = _doubt(case)
    if wrong is None:
        return _for_buyer(case, table, "business" if case.tax_id else "consumer")
    business = _for_buyer(case, table, "business")
    if business is not _for_buyer(case, table, "consumer"):
        return UnknownTax(
            problem=f"nobody can tell whether it is a business: {wrong}",
            hint="ask the customer for the VAT number, and load the account again",
        )
    return business


def _doubt(case: TaxCase) -> str | None:
    """Why the tax id does not show that a business of its country buys; None: it does, or there is
    none.
    """
    prefix = case.tax_id.strip()[:2].upper()
    of = {"EL": "GR"}.get(prefix, prefix)
    if prefix in EU_TAX_IDS and of != case.country:
        return f"its tax id {case.tax_id} is of {of}, its country {case.country}"
    return why_wrong(case.tax_id, case.country)


def _for_buyer(case: TaxCase, table: TaxTable, buyer: Buyer) -> TaxRule | UnknownTax:
    """The rule for that kind of buyer: of the closest place, there of the kind itself, and of these
    the newest in force.
    """
    for place in _places(case.country):
        for kind in (buyer, "any"):
            rows = [
                one
                for one in table.tax
                if case.seller in one.sellers and place in one.customer and one.buyer == kind
            ]
            rule = _newest(rows, case.day)
            if rule is not None:
                return rule
    return UnknownTax(
        problem=f"{FILE} has no row for a seller in {case.seller} and a {buyer} in {case.country}"
        f" on {case.day}"
    )


def _places(country: str) -> Iterable[str]:
    """The names under which a country may stand in a row, the closest first."""
    return (country, *(("EU",) if country in EU_COUNTRIES else ()), "*")


def _newest(rows: Sequence[TaxRule], day: date) -> TaxRule | None:
    begun = [one for one in rows if one.effective_from <= day]
    return max(begun, key=lambda one: one.effective_from, default=None)
