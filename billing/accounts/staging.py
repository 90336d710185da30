"""The rows of a load in the form of the tables, and the Arrow tables that carry them there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

import duckdb

from billing.accounts.agreement_rows import CommitmentRow, CreditRow
from billing.accounts.columns import METHOD_SCHEMA
from billing.accounts.document_fields import details_of
from billing.accounts.file_rows import AccountRow, DomainRow, Loaded, MethodRow, PlanRow
from billing.accounts.plan_terms import after, begins
from billing.accounts.records import (
    AccountFact,
    AccountVersion,
    Agreement,
    MethodChange,
    Ownership,
    PlanBought,
    Tagged,
)
from billing.accounts.row_fields import BEGINNING
from billing.store.given import TEXT, schema_of, table_of
from edge.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

Fact = TypeVar("Fact", bound=AccountFact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(Generic[Fact]):
    """A fact of a file, the place it stands at, and what it puts right: the stored one of its own
    id, or that named by `replaces`. `is_first`: an account's row that names no version;
    `has_opening`: one that says when the account was opened.
    """

    place: str
    fact: Fact
    why: str = ""
    replaces: str = ""
    is_first: bool = False
    has_opening: bool = True


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedLoad:
    """A file's rows as the tables would hold them."""

    accounts: Sequence[Placed[AccountVersion]]
    domains: Sequence[Placed[Ownership]]
    plans: Sequence[Placed[PlanBought]]
    methods: Sequence[Placed[MethodChange]]
    agreements: Sequence[Placed[Agreement]] = ()
    tags: Sequence[Tagged] = ()

    def relations(self) -> dict[str, pa.Table]:
        """The relations that the chapter accounts/load reads, by name."""
        domains = [(one.fact.ownership_id, one.replaces) for one in self.domains]
        plans = [(one.fact.plan_id, one.replaces) for one in self.plans]
        agreed = [(one.fact.agreement_id, one.replaces) for one in self.agreements]
        about = [(one.fact.account_id, one.place) for one in self.domains]
        about += [(one.fact.account_id, one.place) for one in self.plans]
        about += [(one.fact.account_id, one.place) for one in self.methods]
        about += [(one.fact.account_id, one.place) for one in self.agreements]
        references = {
            "account_id": [account_id for account_id, _ in about],
            "place": [place for _, place in about],
        }
        changes = (one.fact for one in self.methods)
        return {
            "load_accounts": _strings(account_id=[one.fact.account_id for one in self.accounts]),
            "load_domains": _strings(ownership_id=[name for pair in domains for name in pair]),
            "load_plans": _strings(plan_id=[name for pair in plans for name in pair]),
            "load_agreements": _strings(agreement_id=[name for pair in agreed for name in pair]),
            "load_methods": table_of(changes, METHOD_SCHEMA),
            "load_references": _strings(**references),
        }


def _strings(**columns: list[str]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pydict(columns, schema_of([(name, TEXT) for name in columns]))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBuyer:
    """What of an account says when its plans begin and end."""

    account_id: str
    timezone: str
    billing_method: str


def stage(
    loaded: Loaded,
    zone_of_book: Callable[[str], str],
    *,
    opening: datetime,
    buyers: Iterable[PlanBuyer] = (),
) -> StagedLoad:
    """The rows of `loaded` in the form of the tables; `zone_of_book` raises for an unknown book.

    `opening`: from when an account is open that does not say so. `buyers`: known accounts with
    plans in the file; those of the file itself come on top.
    """
    accounts = [_account(place, row, zone_of_book, opening) for place, row in loaded.accounts]
    buyer_of = {one.account_id: (one.timezone, one.billing_method) for one in buyers}
    for one in accounts:
        buyer_of.setdefault(one.fact.account_id, (one.fact.timezone, one.fact.billing_method))
    return StagedLoad(
        accounts=accounts,
        domains=[
            Placed(place=place, fact=_ownership(row), why=row.why, replaces=row.replaces)
            for place, row in loaded.domains
        ],
        plans=[
            Placed(
                place=place,
                fact=_plan(row, *buyer_of.get(row.account, ("UTC", ""))),
                why=row.why,
                replaces=row.replaces,
            )
            for place, row in loaded.plans
        ],
        methods=[Placed(place=place, fact=_method(row)) for place, row in loaded.methods],
        agreements=[
            Placed(place=place, fact=_agreement(row), why=row.why, replaces=row.replaces)
            for place, row in loaded.agreements
        ],
        tags=_tagged(loaded),
    )


def _tagged(loaded: Loaded) -> list[Tagged]:
    """The tags that rows name, of each account and of each account's domain the last ones said; a
    row without the field says nothing of them.
    """
    accounts = [("account", row.id, row.id, row.tags) for _, row in loaded.accounts]
    domains = [("domain", row.domain, row.account, row.tags) for _, row in loaded.domains]
    rows = [one for one in (*accounts, *domains) if one[-1] is not None]
    said = {(kind, subject, account): tags for kind, subject, account, tags in rows}
    return [
        Tagged(
            kind=kind,
            subject=subject,
            account_id=account,
            tags=json.dumps(tags, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        )
        for (kind, subject, account), tags in said.items()
    ]


def _account(
    place: str, row: AccountRow, zone_of_book: Callable[[str], str], opening: datetime
) -> Placed[AccountVersion]:
    """The version of an account, its time zone that of its price book unless it names one."""
    try:
        zone = zone_of_book(row.price_book)
    except InputError as error:
        raise InputError(f"{place}: {error.message}", error.hint) from error
    version = AccountVersion(
        account_id=row.id,
        effective_from=row.effective_from or row.opened or BEGINNING,
        name=row.name,
        currency=row.currency,
        timezone=row.timezone or zone,
        price_book=row.price_book,
        billing_method=row.billing_method,
        credit_limit=row.credit_limit,
        grace_hours=row.grace_hours,
        suspension_policy=row.suspension_policy,
        tax_rate_bp=row.tax_rate_percent,
        email=row.email,
        address=row.address,
        country=row.country,
        tax_id=row.tax_id,
        low_balance_threshold=row.low_balance_threshold,
        opened_at=row.opened or opening,
        closed_at=row.closed,
        details=details_of(row),
    )
    return Placed(
        place=place,
        fact=version,
        why=row.why,
        is_first=row.effective_from is None,
        has_opening=row.opened is not None,
    )


def _ownership(row: DomainRow) -> Ownership:
    return Ownership(
        ownership_id=row.ownership_id,
        domain=row.domain,
        account_id=row.account,
        effective_from=row.effective_from,
        effective_to=row.effective_to,
    )


def _plan(row: PlanRow, zone: str, method: str) -> PlanBought:
    """The plan, bought when it starts unless the row says when, and the other way round."""
    starts = row.starts
    if starts is None:
        assert row.bought is not None, "the row has one of both"
        starts = begins(row.bought, zone, daily=method == "peak_bandwidth")
    ends = after(starts, row.lasts, zone) if row.lasts else row.ends
    assert ends is not None, "the row has one of both"
    return PlanBought(
        plan_id=row.id,
        account_id=row.account,
        kind=row.kind,
        region=row.region,
        quantity=row.quantity,
        starts_at=starts,
        ends_at=ends,
        bought_at=row.bought or starts,
        price=row.price,
        lasts=row.lasts,
        renews=row.renews,
    )


def _agreement(row: CreditRow | CommitmentRow) -> Agreement:
    is_credit = isinstance(row, CreditRow)
    return Agreement(
        agreement_id=row.id,
        account_id=row.account,
        kind="credit" if is_credit else "commitment",
        amount=row.amount,
        items=",".join(row.items) if isinstance(row, CreditRow) else "",
        regions=",".join(row.regions) if isinstance(row, CreditRow) else "",
        priority=row.priority if isinstance(row, CreditRow) else 0,
        settles=row.settles if isinstance(row, CommitmentRow) else "",
        starts_at=row.starts,
        ends_at=row.ends,
    )


def _method(row: MethodRow) -> MethodChange:
    return MethodChange(
        account_id=row.account, method=row.method, effective_from=row.effective_from
    )


class Registered:
    """Arrow tables as relations of a session, by name, while the block runs."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table]
    ) -> None:
        self.connection = connection
        self.tables = tables

    def __enter__(self) -> None:
        for name, table in self.tables.items():
            self.connection.register(name, table)

    def __exit__(self, *_: object) -> None:
        for name in self.tables:
            self.connection.unregister(name)
