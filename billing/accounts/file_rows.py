"""What a load file may hold: accounts, domain ownership, plans, method changes; read and checked
row by row.

TOML files have lists `[[accounts]]`, `[[domains]]`, `[[plans]]`, `[[methods]]`; a CSV file holds
one kind, known by its columns. Every error names file, line and key. A blank file is an error
(FAULTS H9).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from billing.accounts.document_fields import (
    check_endpoint,
    check_profile,
    check_terms,
)
from billing.money import check_currency, parse_amount
from billing.readable import unlike_any_other
from billing.text_rules import check_email, check_line
from edge.configfile import read_toml, said, table_lines
from edge.domain import canonical_domain, is_registry_suffix
from edge.errors import InputError

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
NEVER = datetime(9999, 12, 31, tzinfo=UTC).replace(tzinfo=None)
Method = Literal["data_transfer", "peak_bandwidth", "percentile95_bandwidth"]
_ID = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"
_BYTES = {"KB": 1, "MB": 2, "GB": 3, "TB": 4, "PB": 5}


def _moment(value: object) -> datetime:
    """When something was bought, asked for or opened: any whole second, as naive UTC."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(read, datetime):
            raise ValueError("not a time")
        moment = read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    except (ValueError, OverflowError) as error:
        raise ValueError("write a time like 2026-10-01T00:00:00Z") from error
    if moment.microsecond:
        raise ValueError(f"{value} is not a whole second")
    if not 2000 <= moment.year < 9999:
        raise ValueError(f"{value} is before 2000 or after 9998")
    return moment


def _instant(value: object) -> datetime:
    """A time on a 5-minute edge: ownership and terms change only there (DESIGN §3.7)."""
    moment = _moment(value)
    if moment.minute % 5 or moment.second:
        raise ValueError(f"{value} is not on a 5-minute edge")
    return moment


def _end(value: object) -> datetime:
    return NEVER if value == "never" else _instant(value)


def _money(value: object) -> int:
    try:
        return parse_amount(str(value) if type(value) is int else value)  # type: ignore[arg-type]
    except InputError as error:
        raise ValueError(error.message + '; write it in quotes, like "500.00"') from error


def _percent(value: object) -> Decimal:
    """A percentage as basis points, of which there may be hundredths: 8.875 % is 887.50 of them."""
    known = re.fullmatch(r"\d{1,3}(\.\d{1,10})?", str(value), re.ASCII)
    hundredths, rest = divmod(int(_money(value)) if known else -1, 10**6)
    if rest or not 0 <= hundredths <= 1_000_000:
        raise ValueError(f"{value} is not a percentage from 0 to 100 with at most four decimals")
    return Decimal(hundredths).scaleb(-2)


def _quantity(value: object) -> int:
    """A count, or bytes with a unit: `"500 GB"` is 500 × 1024^3 (DOMAIN §10.4)."""
    if type(value) is int:
        return value
    match = re.fullmatch(r"([\d_]+)\s*([KMGTP]B)?", str(value), re.ASCII)
    if not match:
        raise ValueError(f'{value!r} is not a quantity: write 1000000 or "500 GB"')
    size: int = 1024 ** _BYTES.get(match[2], 0)
    return int(match[1]) * size


def _domain(value: object) -> str:
    text = str(value)
    wildcard = text.startswith("*.")
    name = canonical_domain(text[2:] if wildcard else text)
    if name is None:
        raise ValueError(f"{text!r} is not a domain name, nor *.NAME")
    if wildcard and is_registry_suffix(name):
        raise ValueError(
            f"{text!r} would own every name below {name}, which anybody may register: own the"
            f" customer's own names, like *.shop.{name}"
        )
    return f"*.{name}" if wildcard else name


def _currency(value: str) -> str:
    try:
        return check_currency(value)
    except InputError as error:
        raise ValueError(error.message) from error


def _timezone(value: str | None) -> str | None:
    if value is not None and value not in available_timezones() - {"Factory"}:
        raise ValueError(f"there is no time zone {value!r}; write one like Asia/Shanghai")
    return value


def _unlike_any_other(value: str | None) -> str | None:
    """An id of a person's own choice: one that nobody takes for another (CASES G6)."""
    why = None if value is None else unlike_any_other(value)
    if why is not None:
        raise ValueError(f"{value!a} could be taken for another id: {why}")
    return value


def _tags(value: object) -> object:
    """`{team = "web"}`, or in CSV `team=web;stage=live`: texts by name, a name once."""
    if not isinstance(value, str):
        return value
    pairs = [part.split("=", 1) for part in value.split(";") if part.strip()]
    found = {pair[0].strip(): pair[-1].strip() for pair in pairs}
    if any(len(pair) != 2 for pair in pairs) or len(found) != len(pairs):
        raise ValueError(f"{value!r} are no tags: write team=web;stage=live")
    return found


def _tag_text(value: str) -> str:
    if not value or len(value) > 128:
        raise ValueError("a tag's name and its value have 1 to 128 characters")
    return check_line(value)


_Tag = Annotated[str, AfterValidator(_tag_text)]
Tags = Annotated[dict[_Tag, _Tag], BeforeValidator(_tags), Field(max_length=50)]
"""What an account or a domain is grouped by in reports; not said: as they are."""
Instant = Annotated[datetime, BeforeValidator(_instant)]
End = Annotated[datetime, BeforeValidator(_end)]
"""When something ends; `"never"`: an end that is stored was wrong."""
Moment = Annotated[datetime, BeforeValidator(_moment)]
Money = Annotated[int, BeforeValidator(_money)]
Id = Annotated[str, Field(pattern=f"^{_ID}$")]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=500)

    @field_validator("*")
    @classmethod
    def _is_a_line(cls, value: object) -> object:
        """Text that is stored is one visible line: it is printed, mailed and shown by terminals."""
        return check_line(value) if isinstance(value, str) else value


R = TypeVar("R", bound=_Row)


class AccountRow(_Row):
    """One version of an account; without `effective_from` it is the account's first.

    `opened` and `closed` bound the months in which its fixed fees are due; not said, it is open
    from its first load on. To put one of them right that is stored, say `why`.
    """

    id: Id
    name: str = Field(min_length=1)
    currency: Annotated[str, AfterValidator(_currency)]
    price_book: str = Field(min_length=1)
    timezone: Annotated[str | None, AfterValidator(_timezone)] = None
    billing_method: Method = "data_transfer"
    credit_limit: Annotated[Money, Field(ge=0, lt=2**96)] = 0
    grace_hours: int = Field(default=24, ge=0, le=24 * 366)
    suspension_policy: Literal["confirm", "auto"] = "confirm"
    tax_rate_percent: Annotated[Decimal, BeforeValidator(_percent)] = Decimal(0)
    email: Annotated[str, AfterValidator(check_email)] = ""
    address: str = ""
    country: str = ""
    tax_id: str = ""
    low_balance_threshold: Money | None = None
    opened: Instant | None = None
    closed: End | None = None
    effective_from: Instant | None = None
    tags: Tags | None = None
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
    why: str = ""


class _Correctable(_Row):
    """A fact that may put a stored one right: of the same id, or of that named by `replaces`."""

    replaces: str = ""
    why: str = ""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.replaces and not self.why:
            raise ValueError("what replaces another says why: `why`")
        return self


class DomainRow(_Correctable):
    """An account owns a name, or with `*.` one level below it, from a time to another."""

    id: Annotated[str | None, AfterValidator(_unlike_any_other)] = Field(
        default=None, min_length=1, max_length=400
    )
    domain: Annotated[str, BeforeValidator(_domain)]
    account: Id
    effective_from: Instant = BEGINNING
    effective_to: End | None = None
    tags: Tags | None = None

    @property
    def ownership_id(self) -> str:
        """The id given, or one made from domain, account and start."""
        return self.id or f"{self.domain}@{self.account}@{self.effective_from:%Y-%m-%dT%H:%M}"


class PlanRow(_Correctable):
    """A prepaid plan that was bought. `quantity` is bytes for data_transfer, else requests."""

    id: Id
    account: Id
    kind: Literal["data_transfer", "https_requests"]
    quantity: Annotated[int, BeforeValidator(_quantity), Field(gt=0, lt=2**63)]
    starts: Moment
    ends: Moment
    region: str = "all"
    bought: Moment | None = None

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


class MethodRow(_Row):
    """The account asks for another basic billing method; it begins at the next local midnight."""

    account: Id
    method: Method
    effective_from: Moment


class LoadFile(_Row):
    """A TOML load file."""

    accounts: tuple[AccountRow, ...] = ()
    domains: tuple[DomainRow, ...] = ()
    plans: tuple[PlanRow, ...] = ()
    methods: tuple[MethodRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The rows of one file, each with the place it stands at, for messages."""

    accounts: tuple[tuple[str, AccountRow], ...] = ()
    domains: tuple[tuple[str, DomainRow], ...] = ()
    plans: tuple[tuple[str, PlanRow], ...] = ()
    methods: tuple[tuple[str, MethodRow], ...] = ()


_CSV_KINDS: tuple[tuple[str, str, type[_Row]], ...] = (
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


def _csv_model(path: Path, columns: tuple[str, ...]) -> type[_Row]:
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


def _csv_row(path: Path, line: int, row: Mapping[str | None, object], model: type[_Row]) -> _Row:
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
