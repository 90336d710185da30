"""The table of taxes asked for all accounts of a run at once: each case that there is, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

import sql
from billing.vat.category import TaxCategory
from billing.vat.rules import TaxCase, TaxTable, UnknownTax, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedCase:
    """A case as the tables have it; the rate in basis points."""

    month: str
    seller_id: str
    language: str
    tax_rate_bp: Decimal
    country: str
    tax_id: str
    exemption: str
    rule_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """An account whose document cannot be made, why, and what to do about it."""

    account_id: str
    problem: str
    hint: str


def decide_rates(
    connection: duckdb.DuckDBPyConnection,
    table: TaxTable,
    *,
    countries: Mapping[str, str],
    last_days: Mapping[str, date],
) -> list[Undecided]:
    """Put the rates of `table` in the place of the accounts' own, and give whom it leaves open.

    `countries` of the sellers by id; `last_days` of the months that lines may be about.
    """
    connection.execute(sql.text("statements/invoices/tax_rates/tax_facts"))
    cases = sql.rows(
        connection.execute(sql.text("statements/invoices/tax_rates/tax_cases")), StagedCase
    )
    decided = [
        decide(
            TaxCase(
                day=last_days[one.month],
                seller=countries.get(one.seller_id, ""),
                country=one.country,
                tax_id=one.tax_id,
                exemption=one.exemption,
                rule_id=one.rule_id,
                own_rate=one.tax_rate_bp.scaleb(-2),
            ),
            table,
            one.language,
        )
        for one in cases
    ]
    known = [one if isinstance(one, TaxCategory) else None for one in decided]
    unknown = [one if isinstance(one, UnknownTax) else None for one in decided]
    connection.execute(
        sql.text("statements/invoices/tax_rates/tax_decisions"),
        {
            "months": [one.month for one in cases],
            "sellers": [one.seller_id for one in cases],
            "languages": [one.language for one in cases],
            "own_rates": [one.tax_rate_bp for one in cases],
            "countries": [one.country for one in cases],
            "tax_ids": [one.tax_id for one in cases],
            "exemptions": [one.exemption for one in cases],
            "rule_ids": [one.rule_id for one in cases],
            "rates": [None if one is None else one.percent * 100 for one in known],
            "categories": [None if one is None else one.code for one in known],
            "sentences": [None if one is None else one.reason for one in known],
            "codes": [None if one is None else one.reason_code for one in known],
            "problems": ["" if one is None else one.problem for one in unknown],
            "hints": ["" if one is None else one.hint for one in unknown],
        },
    )
    connection.execute(sql.text("statements/invoices/tax_rates/decided_rates"))
    return sql.rows(
        connection.execute(sql.text("statements/invoices/tax_rates/undecided_taxes")), Undecided
    )
