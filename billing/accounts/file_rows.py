"""What a load file may hold: accounts, domain ownership, plans, method changes, credits and
commitments; read and checked row by row.

TOML files have lists `[[accounts]]`, `[[domains]]`, `[[plans]]`, `[[methods]]`, `[[credits]]`,
`[[commitments]]`; a CSV file holds one kind of the first four, known by its columns. Every error
names file, line and key. A blank file is an error (FAULTS H9).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from billing.accounts.agreement_rows import CommitmentRow, CreditRow
from billing.accounts.document_fields import DocumentFields
from billing.accounts.plan_terms import check_lasts
from billing.accounts.row_fields import (
    BEGINNING,
    CorrectableRow,
    End,
    Id,
    Instant,
    LoadRow,
    Moment,
    Money,
    Tags,
    known_currency,
    known_timezone,
    owned_name,
    parse_count,
    percent,
    plain_id,
)
from billing.text_rules import check_email
from edge.configfile import read_toml, said, table_lines
from edge.errors import InputError

Method = Literal["data_transfer", "peak_bandwidth", "percentile95_bandwidth"]
R = TypeVar("R", bound=LoadRow)


class AccountRow(LoadRow, DocumentFields):
    """One version of an account; without `effective_from` it is the account's first.

    `opened` and `closed` bound the months in which its fixed fees are due; not said, it is open
    from its first load on. To put one of them right that is stored, say `why`.
    """

    id: Id
    name: str = Field(min_length=1)
    currency: Annotated[str, AfterValidator(known_currency)]
    price_book: str = Field(min_length=1)
    timezone: Annotated[str | None, AfterValidator(known_timezone)] = None
    billing_method: Method = "data_transfer"
    credit_limit: Annotated[Money, Field(ge=0, lt=2**96)] = 0
    grace_hours: int = Field(default=24, ge=0, le=24 * 366)
    suspension_policy: Literal["confirm", "auto"] = "confirm"
    tax_rate_percent: Annotated[Decimal, BeforeValidator(percent)] = Decimal(0)
    email: Annotated[str, AfterValidator(check_email)] = ""
    address: str = ""
    country: str = ""
    tax_id: str = ""
    low_balance_threshold: Money | None = None
    opened: Instant | None = None
    closed: End | None = None
    effective_from: Instant | None = None
    tags: Tags | None = None
    why: str = ""


class DomainRow(CorrectableRow):
    """An account owns a name, or with `*.` one level below it, from a time to another."""

    id: Annotated[str | None, AfterValidator(plain_id)] = Field(
        default=None, min_length=1, max_length=400
    )
    domain: Annotated[str, BeforeValidator(owned_name)]
    account: Id
    effective_from: Instant = BEGINNING
    effective_to: End | None = None
    tags: Tags | None = None

    @property
    def ownership_id(self) -> str:
        """The id given, or one made from domain, account and start."""
        return self.id or f"{self.domain}@{self.account}@{self.effective_from:%Y-%m-%dT%H:%M}"


class PlanRow(CorrectableRow):
    """A prepaid plan that was bought. `quantity` is bytes for data_transfer, else requests.

    It is valid from `starts`, else from when it was `bought`, and until `ends`, or as long as it
    `lasts`, after which it is sold again where it `renews`. `price` is what it is sold for.
    """

    id: Id
    account: Id
    kind: Literal["data_transfer", "https_requests"]
    quantity: Annotated[int, BeforeValidator(parse_count), Field(gt=0, lt=2**63)]
    starts: Moment | None = None
    ends: Moment | None = None
    lasts: Annotated[str, AfterValidator(check_lasts)] | None = None
    renews: bool = False
    region: str = "all"
    bought: Moment | None = None
    price: Annotated[Money, Field(ge=0, lt=2**96)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _requests_are_counted(cls, row: object) -> object:
        """A request plan is a count and global (DOMAIN §10.4): "10 GB" would be ten billion."""
        if not isinstance(row, Mapping) or row.get("kind") != "https_requests":
            return row
        quantity, region = row.get("quantity"), row.get("region", "all")
        if isinstance(quantity, str) and quantity.rstrip().endswith("B"):
            raise ValueError(f"{quantity!r} are bytes, which no https_requests plan pays")
        if isinstance(region, str) and region != "all":
            raise ValueError(
                f"an https_requests plan is global: leave out region {region!r} (and say `why`"
                " where it is stored so)"
            )
        return row

    @model_validator(mode="after")
    def _has_a_span(self) -> Self:
        if self.starts is None and self.bought is None:
            raise ValueError("a plan says when it `starts`, or when it was `bought`")
        if (self.ends is None) == (self.lasts is None):
            raise ValueError("a plan says either when it `ends` or how long it `lasts`")
        if self.renews and self.lasts is None:
            raise ValueError("what renews says how long it `lasts`")
        return self


class MethodRow(LoadRow):
    """The account asks for another basic billing method; it begins at the next local midnight."""

    account: Id
    method: Method
    effective_from: Moment


class LoadFile(LoadRow):
    """A TOML load file."""

    accounts: tuple[AccountRow, ...] = ()
    domains: tuple[DomainRow, ...] = ()
    plans: tuple[PlanRow, ...] = ()
    methods: tuple[MethodRow, ...] = ()
    credits: tuple[CreditRow, ...] = ()
    commitments: tuple[CommitmentRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The rows of one file, each with the place it stands at, for messages."""

    accounts: tuple[tuple[str, AccountRow], ...] = ()
    domains: tuple[tuple[str, DomainRow], ...] = ()
    plans: tuple[tuple[str, PlanRow], ...] = ()
    methods: tuple[tuple[str, MethodRow], ...] = ()
    agreements: tuple[tuple[str, CreditRow | CommitmentRow], ...] = ()


_CSV_KINDS: tuple[tuple[str, str, type[LoadRow]], ...] = (
    ("domain", "domains", DomainRow),
    ("quantity", "plans", PlanRow),
    ("method", "methods", MethodRow),
    ("currency", "accounts", AccountRow),
)


def read_load_file(path: Path) -> Loaded:
    """The rows of `path`, TOML or CSV by its ending. Raises ConfigError or InputError; see the
    module.
    """
    if path.suffix.lower() == ".csv":
        return _read_csv(path)
    if path.suffix.lower() != ".toml":
        raise InputError(f"{path} ends neither in .toml nor in .csv", "name it so")
    content = read_toml(path, LoadFile)
    lines = table_lines(path.read_text(encoding="utf-8-sig"))
    return Loaded(
        accounts=_placed(path, lines.get("accounts", ()), content.accounts),
        domains=_placed(path, lines.get("domains", ()), content.domains),
        plans=_placed(path, lines.get("plans", ()), content.plans),
        methods=_placed(path, lines.get("methods", ()), content.methods),
        agreements=(
            *_placed(path, lines.get("credits", ()), content.credits),
            *_placed(path, lines.get("commitments", ()), content.commitments),
        ),
    )


def _placed(path: Path, lines: Sequence[int], rows: Sequence[R]) -> tuple[tuple[str, R], ...]:
    """Each row with its line; with its number where the rows stand in one inline array."""
    if len(lines) == len(rows):
        return tuple(
            (f"{path.name}, line {line}", row) for line, row in zip(lines, rows, strict=True)
        )
    return tuple((f"{path.name}, row {number}", row) for number, row in enumerate(rows, start=1))


def _read_csv(path: Path) -> Loaded:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns = tuple(reader.fieldnames or ())
            model = _csv_model(path, columns)
            rows = [
                (
                    f"{path.name}, line {reader.line_num}",
                    _csv_row(path, reader.line_num, row, model),
                )
                for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}", "save it as UTF-8 CSV") from error
    if not rows:
        raise InputError(f"{path} has no rows", "a blank file is never taken for «nothing»")
    return Loaded(
        accounts=tuple((place, row) for place, row in rows if isinstance(row, AccountRow)),
        domains=tuple((place, row) for place, row in rows if isinstance(row, DomainRow)),
        plans=tuple((place, row) for place, row in rows if isinstance(row, PlanRow)),
        methods=tuple((place, row) for place, row in rows if isinstance(row, MethodRow)),
    )


def _csv_model(path: Path, columns: tuple[str, ...]) -> type[LoadRow]:
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise InputError(
            f"{path}, line 1: column {twice[0]!r} stands twice", "one of them would not be read"
        )
    for column, kind, model in _CSV_KINDS:
        if column in columns:
            unknown = sorted(set(columns) - set(model.model_fields))
            if unknown:
                raise InputError(
                    f"{path}, line 1: unknown column {unknown[0]!r} for {kind}",
                    f"columns are {', '.join(model.model_fields)}",
                )
            return model
    raise InputError(
        f"{path}, line 1: cannot tell what the columns are for",
        "accounts have `currency`, domains `domain`, plans `quantity`, methods `method`",
    )


def _csv_row(
    path: Path, line: int, row: Mapping[str | None, object], model: type[LoadRow]
) -> LoadRow:
    if None in row or None in row.values():
        raise InputError(
            f"{path}, line {line}: the number of cells is not that of line 1", "fix it"
        )
    try:
        return model.model_validate({key: value for key, value in row.items() if value != ""})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}, line {line}, key {key}: {said(first)}", "correct it") from error
