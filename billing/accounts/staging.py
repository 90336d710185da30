"""The rows of a load in the form of the tables: one dictionary per row, typed Arrow tables to stage
them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from billing.accounts.file_rows import AccountRow, DomainRow, MethodRow, PlanRow
from edge.errors import InputError

Row = dict[str, Any]
_TIME = pa.timestamp("us")
_MONEY = pa.decimal128(38, 0)


def _schema(fields: list[tuple[str, Any]]) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in fields])


ACCOUNT_SCHEMA = _schema(
    [
        ("account_id", pa.string()),
        ("effective_from", _TIME),
        ("name", pa.string()),
        ("currency", pa.string()),
        ("timezone", pa.string()),
        ("price_book", pa.string()),
        ("billing_method", pa.string()),
        ("credit_limit", _MONEY),
        ("grace_hours", pa.int32()),
        ("suspension_policy", pa.string()),
        ("tax_rate_bp", pa.decimal128(9, 2)),
        ("email", pa.string()),
        ("address", pa.string()),
        ("country", pa.string()),
        ("tax_id", pa.string()),
        ("low_balance_threshold", _MONEY),
        ("opened_at", _TIME),
    ]
)
DOMAIN_SCHEMA = _schema(
    [
        ("ownership_id", pa.string()),
        ("domain", pa.string()),
        ("account_id", pa.string()),
        ("effective_from", _TIME),
        ("effective_to", _TIME),
    ]
)
PLAN_SCHEMA = _schema(
    [
        ("plan_id", pa.string()),
        ("account_id", pa.string()),
        ("kind", pa.string()),
        ("region", pa.string()),
        ("quantity", pa.int64()),
        ("starts_at", _TIME),
        ("ends_at", _TIME),
        ("bought_at", _TIME),
    ]
)
METHOD_SCHEMA = _schema(
    [("account_id", pa.string()), ("method", pa.string()), ("effective_from", _TIME)]
)
_REFERENCE_SCHEMA = _schema([("account_id", pa.string()), ("place", pa.string())])


def zone_lookup(zones: Mapping[str, str]) -> Callable[[str], str]:
    """From a price book's id to its time zone; InputError that names the books there are."""

    def zone_of_book(book: str) -> str:
        if book not in zones:
            known = ", ".join(sorted(zones)) or "none"
            raise InputError(
                f"there is no price book {book!r}", f"prices/ has {known}; add its TOML file there"
            )
        return zones[book]

    return zone_of_book


def account_row(place: str, row: AccountRow, zone_of_book: Callable[[str], str]) -> Row:
    """The version of an account, its time zone that of its price book unless it names one."""
    try:
        zone = zone_of_book(row.price_book)
    except InputError as error:
        raise InputError(f"{place}: {error.message}", error.hint) from error
    return {
        "account_id": row.id,
        "effective_from": row.effective_from or row.opened,
        "name": row.name,
        "currency": row.currency,
        "timezone": row.timezone or zone,
        "price_book": row.price_book,
        "billing_method": row.billing_method,
        "credit_limit": row.credit_limit,
        "grace_hours": row.grace_hours,
        "suspension_policy": row.suspension_policy,
        "tax_rate_bp": row.tax_rate_percent,
        "email": row.email,
        "address": row.address,
        "country": row.country,
        "tax_id": row.tax_id,
        "low_balance_threshold": row.low_balance_threshold,
        "opened_at": row.opened,
    }


def ownership_row(row: DomainRow) -> Row:
    """The period in which an account owns a domain."""
    return {
        "ownership_id": row.ownership_id,
        "domain": row.domain,
        "account_id": row.account,
        "effective_from": row.effective_from,
        "effective_to": row.effective_to,
    }


def plan_row(row: PlanRow) -> Row:
    """The plan, bought when it starts unless the row says when."""
    return {
        "plan_id": row.id,
        "account_id": row.account,
        "kind": row.kind,
        "region": row.region,
        "quantity": row.quantity,
        "starts_at": row.starts,
        "ends_at": row.ends,
        "bought_at": row.bought or row.starts,
    }


def method_row(row: MethodRow) -> Row:
    """The change of method."""
    return {
        "account_id": row.account,
        "method": row.method,
        "effective_from": row.effective_from,
    }


class Staged:
    """The rows of a load as relations load_* of the session, while the block runs."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, *kinds: list[tuple[str, Row]]
    ) -> None:
        self.connection = connection
        names = ("load_accounts", "load_domains", "load_plans", "load_methods")
        schemas = (ACCOUNT_SCHEMA, DOMAIN_SCHEMA, PLAN_SCHEMA, METHOD_SCHEMA)
        self.tables = {
            name: pa.Table.from_pylist([row for _, row in rows], schema)
            for name, schema, rows in zip(names, schemas, kinds, strict=True)
        }
        references = [
            {"account_id": row["account_id"], "place": place}
            for rows in kinds[1:]
            for place, row in rows
        ]
        self.tables["load_references"] = pa.Table.from_pylist(references, _REFERENCE_SCHEMA)

    def __enter__(self) -> None:
        for name, table in self.tables.items():
            self.connection.register(name, table)

    def __exit__(self, *_: object) -> None:
        for name in self.tables:
            self.connection.unregister(name)
